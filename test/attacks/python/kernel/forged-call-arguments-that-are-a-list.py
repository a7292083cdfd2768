# id: forged-call-arguments-that-are-a-list
# title: a kernel that requests a host call whose arguments are a list ends the interpreter
# level: L1
# class: kernel
# expect: crash restored
# control: outcome
# prelude: lying-kernel
# timeout-ms: 2000

lie(r"""return reply(1, marshal.dumps([(1, "x", [])], 2), 0.0)""")
# %%
1
