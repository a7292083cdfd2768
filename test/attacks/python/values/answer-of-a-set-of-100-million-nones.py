# id: answer-of-a-set-of-100-million-nones
# title: an answer of a set of 25 million Nones neither stalls the main thread nor fills its memory
# level: L1
# class: values
# expect: any
# control: none the time of the main thread is the claim
# prelude: lying-kernel
# timeout-ms: 2000
# recover: true
# rss-mib: 1000

lie(r"""return many(b'<', 25_000_000, b'N')""")
# %%
1
