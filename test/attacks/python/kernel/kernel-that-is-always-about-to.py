# id: kernel-that-is-always-about-to
# title: a kernel that is always about to is stopped from outside
# level: L1
# class: kernel
# expect: timeout
# control: outcome
# prelude: lying-kernel
# timeout-ms: 100
# recover: true

lie(r"""return reply(1, marshal.dumps([], 2), 0.0)""")
# %%
1
