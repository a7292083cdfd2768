# id: answer-of-20-million-empty-sets
# title: an answer of 5 million empty sets neither stalls the main thread nor fills its memory
# level: L1
# class: values
# expect: any
# control: none the time of the main thread is the claim
# prelude: lying-kernel
# timeout-ms: 2000
# recover: true
# rss-mib: 1000

lie(r"""return many(b'[', 5_000_000, b'<\0\0\0\0')""")
# %%
1
