# id: forged-call-no-list
# title: a kernel that requests host calls as a dict ends the interpreter
# level: L1
# class: kernel
# expect: crash restored
# control: outcome
# prelude: lying-kernel
# timeout-ms: 2000

lie(r"""return reply(1, marshal.dumps({"a": 1}, 2), 0.0)""")
# %%
1
