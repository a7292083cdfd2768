# id: memory-mapped-files
# title: mapping files as large as possible again and again stays within the limits
# level: L1
# class: memory
# expect: python | crash | timeout
# control: outcome
# limits: {"memoryBytes":67108864}
# timeout-ms: 8000

import mmap, os
held = []
for n in range(100_000):
    fd = os.open(f'/tmp/{n % 8}', os.O_RDWR | os.O_CREAT)
    os.ftruncate(fd, 2**20)
    held.append(mmap.mmap(fd, 2**20))
    os.close(fd)
