# id: forged-call-an-id-and-a-number
# title: a kernel that requests a host call that is a pair of numbers ends the interpreter
# level: L1
# class: kernel
# expect: crash restored
# control: outcome
# prelude: lying-kernel
# timeout-ms: 2000

lie(r"""return reply(1, marshal.dumps([(1, "x", {}), (-1, 5)], 2), 0.0)""")
# %%
1
