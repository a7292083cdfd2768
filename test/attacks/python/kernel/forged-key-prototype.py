# id: forged-key-prototype
# title: a value with the key prototype changes no prototype and does not confuse an awaiting caller
# level: L1
# class: kernel
# expect: result r
# control: outcome
# prelude: lying-kernel
# timeout-ms: 2000
# recover: true

lie(r"""return outcome(True, 'r', {'prototype': {'polluted': 1, 'prototype': {'polluted': 1}}}, {'prototype': 'text'})""")
# %%
1
