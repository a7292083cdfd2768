# id: growing-memory-by-its-c-function
# title: growing memory through its C function stops with an error at the limit
# level: L1
# class: memory
# expect: python
# control: outcome
# limits: {"memoryBytes":67108864}
# rss-mib: 900
# timeout-ms: 15000

import mmap; x = []
while True: x.append(mmap.mmap(-1, 2**24))
