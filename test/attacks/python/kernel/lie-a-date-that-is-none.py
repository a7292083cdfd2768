# id: lie-a-date-that-is-none
# title: a false kernel reply, a date that is not one, deceives only its own session
# level: L1
# class: kernel
# expect: result Invalid Date
# control: outcome
# prelude: lying-kernel
# timeout-ms: 2000
# recover: true

lie(r"""return value(b'(' + length(3) + b'.' + marshal.dumps('datetime', 2) + marshal.dumps(float('nan'), 2))""")
# %%
1
