# id: forged-reply-no-number-as-delay
# title: a kernel reply whose delay is not a number ends the interpreter
# level: L1
# class: kernel
# expect: crash restored
# control: outcome
# prelude: lying-kernel
# timeout-ms: 2000

lie(r"""return reply(1, marshal.dumps([], 2), float('nan'))""")
# %%
1
