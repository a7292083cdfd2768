# id: forged-reply-a-length-of-2-31-1
# title: a kernel reply with a length of 2^31 - 1 ends the interpreter
# level: L1
# class: kernel
# expect: crash restored
# control: outcome
# prelude: lying-kernel
# timeout-ms: 2000

lie(r"""return reply(0, b'(' + length(2**31 - 1))""")
# %%
1
