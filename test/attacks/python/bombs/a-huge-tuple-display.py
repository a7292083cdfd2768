# id: a-huge-tuple-display
# title: the source of a huge tuple stops with an error at the limit
# level: L1
# class: bombs
# expect: python
# control: outcome
# limits: {"memoryBytes":67108864}
# rss-mib: 900
# timeout-ms: 15000

eval('(' + '[0] * 10**6,' * 500 + ')')
