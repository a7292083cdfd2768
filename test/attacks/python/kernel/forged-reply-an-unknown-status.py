# id: forged-reply-an-unknown-status
# title: a kernel reply with an unknown status ends the interpreter
# level: L1
# class: kernel
# expect: crash restored
# control: outcome
# prelude: lying-kernel
# timeout-ms: 2000

lie(r"""return reply(7, b'')""")
# %%
1
