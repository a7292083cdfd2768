# id: forged-reply-a-failure-without-text
# title: a kernel reply of a failure without text ends the interpreter
# level: L1
# class: kernel
# expect: crash restored
# control: outcome
# prelude: lying-kernel
# timeout-ms: 2000

lie(r"""return outcome(False, 5, 6, 7)""")
# %%
1
