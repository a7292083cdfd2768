# id: forged-reply-nothing
# title: an empty kernel reply ends the interpreter
# level: L1
# class: kernel
# expect: crash restored
# control: outcome
# prelude: lying-kernel
# timeout-ms: 2000

lie(r"""return b''""")
# %%
1
