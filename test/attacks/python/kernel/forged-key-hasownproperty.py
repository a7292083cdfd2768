# id: forged-key-hasownproperty
# title: a value with the key hasOwnProperty changes no prototype and does not confuse an awaiting caller
# level: L1
# class: kernel
# expect: result r
# control: outcome
# prelude: lying-kernel
# timeout-ms: 2000
# recover: true

lie(r"""return outcome(True, 'r', {'hasOwnProperty': {'polluted': 1, 'hasOwnProperty': {'polluted': 1}}}, {'hasOwnProperty': 'text'})""")
# %%
1
