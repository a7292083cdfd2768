# id: forged-reply-a-display-of-numbers
# title: a kernel reply whose display consists of numbers ends the interpreter
# level: L1
# class: kernel
# expect: crash restored
# control: outcome
# prelude: lying-kernel
# timeout-ms: 2000

lie(r"""return outcome(True, None, ..., {'text/plain': 5})""")
# %%
1
