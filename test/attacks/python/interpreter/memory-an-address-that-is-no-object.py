# id: memory-an-address-that-is-no-object
# title: memory: an address that is no object
# level: L1
# class: interpreter
# expect: any
# control: none memory-forged shows that the writes are real
# prelude: forged-memory

_ctypes.PyObj_FromPtr(12345)
