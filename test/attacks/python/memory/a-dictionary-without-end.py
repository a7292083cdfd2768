# id: a-dictionary-without-end
# title: filling a dictionary in an endless loop stops with an error at the limit
# level: L1
# class: memory
# expect: python
# control: outcome
# limits: {"memoryBytes":67108864}
# rss-mib: 900
# timeout-ms: 30000

x = {}
for i in range(10**9): x[i] = 'x' * 1000
