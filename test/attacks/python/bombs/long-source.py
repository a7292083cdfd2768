# id: long-source
# title: long source ends in an error within the limits
# level: L1
# class: bombs
# expect: error
# control: outcome
# limits: {"memoryBytes":67108864}
# timeout-ms: 4000
# rss-mib: 800

eval('+'.join(['1' * 4000] * 20_000))
