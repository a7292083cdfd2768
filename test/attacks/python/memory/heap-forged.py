# id: heap-forged
# title: a forged free list does not make a snapshot slow
# level: L1
# class: memory
# expect: any
# control: none the claim is the bound
# prelude: forged-memory
# timeout-ms: 15000
# recover: true

import struct
# Free memory as malloc keeps it, with sizes and pointers that are none.
for at in range(len(memory[:SIZE]) // 2, SIZE - 64, 65536):
    memory[at : at + 16] = struct.pack('<IIII', 0x7ffffff3, 0x13, at, at + 8)
# %% snapshot
