# id: lie-a-date-that-is-none
# title: a kernel reply that is a date that is none is a lie to its own session only
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
