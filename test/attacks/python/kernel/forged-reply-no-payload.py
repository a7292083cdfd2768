# id: forged-reply-no-payload
# title: a kernel reply without a payload ends the interpreter
# level: L1
# class: kernel
# expect: crash restored
# control: outcome
# prelude: lying-kernel
# timeout-ms: 2000

lie(r"""return reply(0, b'')""")
# %%
1
