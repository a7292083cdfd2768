# id: lie-an-exception
# title: a false kernel reply, an exception, deceives only its own session
# level: L1
# class: kernel
# expect: python MemoryError
# control: outcome
# prelude: lying-kernel
# timeout-ms: 2000
# recover: true

lie(r"""raise KeyboardInterrupt""")
# %%
1
