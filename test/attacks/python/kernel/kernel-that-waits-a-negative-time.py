# id: kernel-that-waits-a-negative-time
# title: a kernel that waits a negative time is stopped by the deadline
# level: L1
# class: kernel
# expect: timeout
# control: outcome
# prelude: lying-kernel
# timeout-ms: 60
# recover: true

lie(r"""return reply(1, marshal.dumps([], 2), -1e308)""")
# %%
1
