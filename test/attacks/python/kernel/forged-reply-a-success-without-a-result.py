# id: forged-reply-a-success-without-a-result
# title: a kernel reply of a success without a result ends the interpreter
# level: L1
# class: kernel
# expect: crash restored
# control: outcome
# prelude: lying-kernel
# timeout-ms: 2000

lie(r"""return outcome(True)""")
# %%
1
