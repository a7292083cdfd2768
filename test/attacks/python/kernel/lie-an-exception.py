# id: lie-an-exception
# title: a kernel reply that is an exception is a lie to its own session only
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
