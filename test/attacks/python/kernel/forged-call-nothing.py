# id: forged-call-nothing
# title: a kernel that requests a host call that is None ends the interpreter
# level: L1
# class: kernel
# expect: crash restored
# control: outcome
# prelude: lying-kernel
# timeout-ms: 2000

lie(r"""return reply(1, marshal.dumps([None], 2), 0.0)""")
# %%
1
