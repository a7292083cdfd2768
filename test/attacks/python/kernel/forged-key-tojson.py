# id: forged-key-tojson
# title: a value with the key toJSON changes no prototype and does not confuse an awaiting caller
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
