# id: forged-reply-marshal-that-goes-on
# title: a kernel reply with bytes after its marshal data ends the interpreter
# level: L1
# class: kernel
# expect: crash restored
# control: outcome
# prelude: lying-kernel
# timeout-ms: 2000

lie(r"""return reply(0, marshal.dumps((True, None, ..., {}), 2) + b'N')""")
# %%
1
