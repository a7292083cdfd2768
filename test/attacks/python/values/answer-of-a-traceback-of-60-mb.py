# id: answer-of-a-traceback-of-60-mb
# title: an answer of a traceback of 20 MB neither stalls the main thread nor fills its memory
# level: L1
# class: values
# expect: any
# control: none the time of the main thread is the claim
# prelude: lying-kernel
# timeout-ms: 2000
# recover: true
# rss-mib: 1000

lie(r"""return outcome(False, 'E', '', 'x' * 20_000_000)""")
# %%
1
