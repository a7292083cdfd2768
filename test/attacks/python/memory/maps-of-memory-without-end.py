# id: maps-of-memory-without-end
# title: maps of memory without end: an error in bounds
# level: L1
# class: memory
# expect: error
# control: outcome
# limits: {"memoryBytes":67108864}
# timeout-ms: 4000
# rss-mib: 800

import mmap
x = []
while True: x.append(mmap.mmap(-1, 4096))
