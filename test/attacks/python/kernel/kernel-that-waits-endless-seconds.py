# id: kernel-that-waits-endless-seconds
# title: a kernel that waits 10^308 seconds is stopped by the deadline
# level: L1
# class: kernel
# expect: timeout
# control: outcome
# prelude: lying-kernel
# timeout-ms: 60
# recover: true

lie(r"""return reply(1, marshal.dumps([], 2), 1e308)""")
# %%
1
