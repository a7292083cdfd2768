# id: forged-reply-a-display-of-lists
# title: a kernel reply whose display consists of lists ends the interpreter
# level: L1
# class: kernel
# expect: crash restored
# control: outcome
# prelude: lying-kernel
# timeout-ms: 2000

lie(r"""return outcome(True, None, ..., {'text/plain': ['x']})""")
# %%
1
