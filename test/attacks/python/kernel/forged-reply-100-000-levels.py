# id: forged-reply-100-000-levels
# title: a kernel reply nested 100,000 levels deep ends the interpreter
# level: L1
# class: kernel
# expect: crash restored
# control: outcome
# prelude: lying-kernel
# timeout-ms: 2000

lie(r"""return reply(0, b'(\x01\0\0\0' * 100_000 + b'N')""")
# %%
1
