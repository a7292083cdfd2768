# id: forged-reply-marshal-that-ends-early
# title: a kernel reply whose marshal data ends early ends the interpreter
# level: L1
# class: kernel
# expect: crash restored
# control: outcome
# prelude: lying-kernel
# timeout-ms: 2000

lie(r"""return reply(0, b'(\x04\0\0\0TN')""")
# %%
1
