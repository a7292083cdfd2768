# id: function-by-address-5
# title: calling function 5 of the table by its address harms at most its own interpreter
# level: L1
# class: interpreter
# expect: any
# control: none memory-forged shows that the writes are real
# prelude: forged-memory

for n in range(4): _ctypes.call_cdeclfunction(5, (1,) * n)
