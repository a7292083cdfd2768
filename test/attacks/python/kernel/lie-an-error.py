# id: lie-an-error
# title: a false kernel reply, an error, deceives only its own session
# level: L1
# class: kernel
# expect: python __proto__
# control: outcome
# prelude: lying-kernel
# timeout-ms: 2000
# recover: true

lie(r"""return outcome(False, '__proto__', 'lie', 'lie')""")
# %%
1
