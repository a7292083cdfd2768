# id: kernel-that-waits-for-ever
# title: a kernel that waits forever is stopped by the deadline
# level: L1
# class: kernel
# expect: timeout
# control: outcome
# prelude: lying-kernel
# timeout-ms: 60
# recover: true

lie(r"""return reply(1, marshal.dumps([], 2), float('inf'))""")
# %%
1
