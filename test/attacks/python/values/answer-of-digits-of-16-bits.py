# id: answer-of-digits-of-16-bits
# title: an answer of invalid digits of a large integer neither stalls the main thread nor fills its memory
# level: L1
# class: values
# expect: any
# control: none the time of the main thread is the claim
# prelude: lying-kernel
# timeout-ms: 2000
# recover: true
# rss-mib: 1000

lie(r"""return many(b'l', 2_000_000, b'\xff\xff')""")
# %%
1
