# id: forged-key-then
# title: a value with the key then changes no prototype and does not confuse an awaiting caller
# level: L1
# class: kernel
# expect: result r
# control: outcome
# prelude: lying-kernel
# timeout-ms: 2000
# recover: true

lie(r"""return outcome(True, 'r', {'then': {'polluted': 1, 'then': {'polluted': 1}}}, {'then': 'text'})""")
# %%
1
