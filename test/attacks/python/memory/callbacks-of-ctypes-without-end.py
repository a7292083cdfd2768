# id: callbacks-of-ctypes-without-end
# title: making ctypes callbacks in an endless loop ends in an error within the limits
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
