# id: lie-a-subclass-of-bytes
# title: a false kernel reply, a subclass of bytes, deceives only its own session
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
