# id: lie-a-value
# title: a false kernel reply, a value, deceives only its own session
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
