# id: answer-of-50-million-empty-dicts
# title: an answer of 12 million empty dicts neither stalls the main thread nor fills its memory
# level: L1
# class: values
# expect: any
# control: none the time of the main thread is the claim
# prelude: lying-kernel
# timeout-ms: 2000
# recover: true
# rss-mib: 1000

lie(r"""return many(b'[', 12_000_000, b'{0')""")
# %%
1
