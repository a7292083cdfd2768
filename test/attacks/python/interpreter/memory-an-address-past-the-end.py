# id: memory-an-address-past-the-end
# title: a pointer past the end of memory harms at most its own interpreter
# level: L1
# class: interpreter
# expect: any
# control: none memory-forged shows that the writes are real
# prelude: forged-memory

_ctypes.PyObj_FromPtr(0x7ffffff0)
