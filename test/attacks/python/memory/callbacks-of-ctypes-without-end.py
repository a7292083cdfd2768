# id: callbacks-of-ctypes-without-end
# title: callbacks of ctypes without end: an error in bounds
# level: L1
# class: memory
# expect: error
# control: outcome
# limits: {"memoryBytes":67108864}
# timeout-ms: 4000
# rss-mib: 800

import ctypes
x = []
while True: x.append(ctypes.CFUNCTYPE(None)(lambda: None))
