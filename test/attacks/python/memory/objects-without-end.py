# id: objects-without-end
# title: making objects in an endless loop stops with an error at the limit
# level: L1
# class: memory
# expect: python MemoryError
# control: outcome
# limits: {"memoryBytes":67108864}
# rss-mib: 900
# timeout-ms: 15000

x = []
while True: x.append(bytearray(2**20))
