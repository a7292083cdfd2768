# id: forged-reply-no-marshal
# title: a kernel reply that is not marshal data ends the interpreter
# level: L1
# class: kernel
# expect: crash restored
# control: outcome
# prelude: lying-kernel
# timeout-ms: 2000

lie(r"""return reply(0, b'\xff' * 100)""")
# %%
1
