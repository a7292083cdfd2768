# id: every-function-by-address
# title: calling every function of the table by its address harms at most its own interpreter
# level: L1
# class: interpreter
# expect: any
# control: none memory-forged shows that the writes are real
# prelude: forged-memory

for address in range(1, 9000):
    _ctypes.call_cdeclfunction(address, ())
