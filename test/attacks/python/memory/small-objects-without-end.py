# id: small-objects-without-end
# title: making small objects in an endless loop stops with an error at the limit
# level: L1
# class: memory
# expect: python
# control: outcome
# limits: {"memoryBytes":67108864}
# rss-mib: 900
# timeout-ms: 15000

x = []
while True: x.append([None] * 1000)
