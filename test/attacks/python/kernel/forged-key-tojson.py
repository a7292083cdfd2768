# id: forged-key-tojson
# title: the key toJSON touches no prototype and no awaiting caller
# level: L1
# class: kernel
# expect: result r
# control: outcome
# prelude: lying-kernel
# timeout-ms: 2000
# recover: true

lie(r"""return outcome(True, 'r', {'toJSON': {'polluted': 1, 'toJSON': {'polluted': 1}}}, {'toJSON': 'text'})""")
# %%
1
