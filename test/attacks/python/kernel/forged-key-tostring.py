# id: forged-key-tostring
# title: a value with the key toString changes no prototype and does not confuse an awaiting caller
# level: L1
# class: kernel
# expect: result r
# control: outcome
# prelude: lying-kernel
# timeout-ms: 2000
# recover: true

lie(r"""return outcome(True, 'r', {'toString': {'polluted': 1, 'toString': {'polluted': 1}}}, {'toString': 'text'})""")
# %%
1
