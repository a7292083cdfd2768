# id: memory-an-address-that-is-no-object
# title: a pointer to something that is not an object harms at most its own interpreter
# level: L1
# class: interpreter
# expect: any
# control: none memory-forged shows that the writes are real
# prelude: forged-memory

_ctypes.PyObj_FromPtr(12345)
