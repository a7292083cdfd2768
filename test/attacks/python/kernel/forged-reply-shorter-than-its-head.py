# id: forged-reply-shorter-than-its-head
# title: a kernel reply that is shorter than its head ends the interpreter
# level: L1
# class: kernel
# expect: crash restored
# control: outcome
# prelude: lying-kernel
# timeout-ms: 2000

lie(r"""return b'x'""")
# %%
1
