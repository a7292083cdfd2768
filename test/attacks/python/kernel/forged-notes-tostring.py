# id: forged-notes-tostring
# title: the notes on what a value lost cannot be objects with a toString of their own
# level: L1
# class: kernel
# expect: crash
# control: none the type of the error is the claim
# prelude: lying-kernel
# recover: true

lie(r"""return outcome(True, None, None, {}, [{'toString': None}])""")
# %%
1
