# id: forged-reply-marshal-of-code
# title: a kernel reply with a code object ends the interpreter
# level: L1
# class: kernel
# expect: crash restored
# control: outcome
# prelude: lying-kernel
# timeout-ms: 2000

lie(r"""return reply(0, marshal.dumps((True, None, evil.__code__, {}), 2) if 'evil' in globals() else b'c')""")
# %%
1
