# id: lie-a-subclass-of-bytes
# title: a kernel reply that is a subclass of bytes is a lie to its own session only
# level: L1
# class: kernel
# expect: result lie
# control: outcome
# prelude: lying-kernel
# timeout-ms: 2000
# recover: true

lie(r"""return type('B', (bytes,), {})(outcome(True, 'lie', 1, {}))""")
# %%
1
