# id: function-by-address-2-31-1
# title: calling function 2**31 - 1 of the table by its address harms at most its own interpreter
# level: L1
# class: interpreter
# expect: any
# control: none memory-forged shows that the writes are real
# prelude: forged-memory

for n in range(4): _ctypes.call_cdeclfunction(2**31 - 1, (1,) * n)
