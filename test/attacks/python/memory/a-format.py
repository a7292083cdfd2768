# id: a-format
# title: formatting a number with a huge width stops with an error at the limit
# level: L1
# class: memory
# expect: python
# control: outcome
# limits: {"memoryBytes":67108864}
# rss-mib: 900
# timeout-ms: 15000

'{:{}}'.format(1, 2**31 - 1)
