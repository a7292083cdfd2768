# id: forged-reply-none
# title: a kernel reply that is None ends the interpreter
# level: L1
# class: kernel
# expect: crash restored
# control: outcome
# prelude: lying-kernel
# timeout-ms: 2000

lie(r"""return None""")
# %%
1
