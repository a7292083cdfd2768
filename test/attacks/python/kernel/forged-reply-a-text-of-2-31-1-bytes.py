# id: forged-reply-a-text-of-2-31-1-bytes
# title: a kernel reply that claims a text of 2^31 - 1 bytes ends the interpreter
# level: L1
# class: kernel
# expect: crash restored
# control: outcome
# prelude: lying-kernel
# timeout-ms: 2000

lie(r"""return value(b'u' + length(2**31 - 1))""")
# %%
1
