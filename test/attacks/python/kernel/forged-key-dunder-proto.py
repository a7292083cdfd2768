# id: forged-key-dunder-proto
# title: a value with the key __proto__ changes no prototype and does not confuse an awaiting caller
# level: L1
# class: kernel
# expect: result r
# control: outcome
# prelude: lying-kernel
# timeout-ms: 2000
# recover: true

lie(r"""return outcome(True, 'r', {'__proto__': {'polluted': 1, '__proto__': {'polluted': 1}}}, {'__proto__': 'text'})""")
# %%
1
