# id: forged-reply-an-integer-of-2-31-digits
# title: a kernel reply that claims an integer of 2^31 digits ends the interpreter
# level: L1
# class: kernel
# expect: crash restored
# control: outcome
# prelude: lying-kernel
# timeout-ms: 2000

lie(r"""return value(b'l' + length(-2**31))""")
# %%
1
