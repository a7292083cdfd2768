# id: forged-reply-a-number
# title: a kernel reply that is a number ends the interpreter
# level: L1
# class: kernel
# expect: crash restored
# control: outcome
# prelude: lying-kernel
# timeout-ms: 2000

lie(r"""return reply(0, marshal.dumps(5, 2))""")
# %%
1
