# id: one-object-too-large
# title: one object larger than memory: stops with an error at the limit
# level: L1
# class: memory
# expect: python
# control: outcome
# limits: {"memoryBytes":67108864}
# rss-mib: 900
# timeout-ms: 15000

bytearray(2**30)
