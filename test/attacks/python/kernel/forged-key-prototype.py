# id: forged-key-prototype
# title: the key prototype touches no prototype and no awaiting caller
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
