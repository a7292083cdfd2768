# id: maps-of-memory-without-end
# title: mapping memory in an endless loop ends in an error within the limits
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
