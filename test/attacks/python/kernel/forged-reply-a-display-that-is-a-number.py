# id: forged-reply-a-display-that-is-a-number
# title: a kernel reply whose display is a number ends the interpreter
# level: L1
# class: kernel
# expect: crash restored
# control: outcome
# prelude: lying-kernel
# timeout-ms: 2000

lie(r"""return outcome(True, None, ..., 7)""")
# %%
1
