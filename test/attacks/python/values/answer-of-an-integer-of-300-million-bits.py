# id: answer-of-an-integer-of-300-million-bits
# title: an answer of an integer of 100 million bits neither stalls the main thread nor fills its memory
# level: L1
# class: values
# expect: any
# control: none the time of the main thread is the claim
# prelude: lying-kernel
# timeout-ms: 2000
# recover: true
# rss-mib: 1000

lie(r"""return many(b'l', 7_000_000, b'\xff\x7f')""")
# %%
1
