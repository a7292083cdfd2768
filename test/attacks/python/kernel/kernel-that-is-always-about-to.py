# id: kernel-that-is-always-about-to
# title: a kernel that always claims to be about to continue is stopped by the deadline
# level: L1
# class: kernel
# expect: timeout
# control: outcome
# prelude: lying-kernel
# timeout-ms: 60
# recover: true

lie(r"""return reply(1, marshal.dumps([], 2), 0.0)""")
# %%
1
