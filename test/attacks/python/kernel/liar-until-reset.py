# id: liar-until-reset
# title: get and execute hear the liar, until reset makes the kernel anew
# level: L1
# class: kernel
# expect: result 'whole'
# control: outcome
# prelude: lying-kernel
# timeout-ms: 2000

lie(r"""return outcome(True, 'lie', 5, {})""")
# %% get missing
# %%
1
# %% reset
# %%
'whole'
