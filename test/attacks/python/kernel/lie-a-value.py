# id: lie-a-value
# title: a kernel reply that is a value is a lie to its own session only
# level: L1
# class: kernel
# expect: result lie
# control: outcome
# prelude: lying-kernel
# timeout-ms: 2000
# recover: true

lie(r"""return outcome(True, 'lie', [1, 'lie'], {})""")
# %%
1
