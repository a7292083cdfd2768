# id: forged-reply-a-negative-length
# title: a kernel reply with a negative length ends the interpreter
# level: L1
# class: kernel
# expect: crash restored
# control: outcome
# prelude: lying-kernel
# timeout-ms: 2000

lie(r"""return reply(0, b'(' + length(-1))""")
# %%
1
