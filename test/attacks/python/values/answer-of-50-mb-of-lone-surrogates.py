# id: answer-of-50-mb-of-lone-surrogates
# title: an answer of 15 MB of lone surrogates neither stalls the main thread nor fills its memory
# level: L1
# class: values
# expect: any
# control: none the time of the main thread is the claim
# prelude: lying-kernel
# timeout-ms: 2000
# recover: true
# rss-mib: 1000

lie(r"""return many(b'u', 5_000_000, b'\xed\xa0\x80', 3)""")
# %%
1
