# id: forged-reply-an-empty-tuple
# title: a kernel reply that is an empty tuple ends the interpreter
# level: L1
# class: kernel
# expect: crash restored
# control: outcome
# prelude: lying-kernel
# timeout-ms: 2000

lie(r"""return outcome()""")
# %%
1
