# id: forged-reply-not-bytes
# title: a kernel reply that is not bytes ends the interpreter
# level: L1
# class: kernel
# expect: crash restored
# control: outcome
# prelude: lying-kernel
# timeout-ms: 2000

lie(r"""return 5""")
# %%
1
