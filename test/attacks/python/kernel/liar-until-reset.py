# id: liar-until-reset
# title: a kernel that lies to get and execute is replaced by reset
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
