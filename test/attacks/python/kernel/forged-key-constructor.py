# id: forged-key-constructor
# title: a value with the key constructor changes no prototype and does not confuse an awaiting caller
# level: L1
# class: kernel
# expect: result r
# control: outcome
# prelude: lying-kernel
# timeout-ms: 2000
# recover: true

lie(r"""return outcome(True, 'r', {'constructor': {'polluted': 1, 'constructor': {'polluted': 1}}}, {'constructor': 'text'})""")
# %%
1
