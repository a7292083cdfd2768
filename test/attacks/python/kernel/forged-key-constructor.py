# id: forged-key-constructor
# title: the key constructor touches no prototype and no awaiting caller
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
