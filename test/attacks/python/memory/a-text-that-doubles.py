# id: a-text-that-doubles
# title: doubling a text in an endless loop stops with an error at the limit
# level: L1
# class: memory
# expect: python
# control: outcome
# limits: {"memoryBytes":67108864}
# rss-mib: 900
# timeout-ms: 15000

x = 'x'
while True: x += x
