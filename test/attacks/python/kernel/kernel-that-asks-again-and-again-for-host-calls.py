# id: kernel-that-asks-again-and-again-for-host-calls
# title: a kernel that keeps requesting unknown host calls is stopped by the deadline
# level: L1
# class: kernel
# expect: timeout
# control: outcome
# prelude: lying-kernel
# timeout-ms: 60
# recover: true

lie(r"""return reply(1, marshal.dumps([(1, '__proto__', {})], 2), 0.0)""")
# %%
1
