# id: answer-of-100-million-numbers
# title: an answer of 100 million numbers neither stalls the main thread nor fills its memory
# level: L1
# class: values
# expect: any
# control: none the time of the main thread is the claim
# prelude: lying-kernel
# timeout-ms: 2000
# recover: true
# rss-mib: 1300

lie(r"""return many(b'[', 100_000_000, b'N')""")
# %%
1
