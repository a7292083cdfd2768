# id: memory-beyond-its-end
# title: writing beyond the end of memory harms at most its own interpreter
# level: L1
# class: interpreter
# expect: any
# control: none memory-forged shows that the writes are real
# prelude: forged-memory

memory[0x7ffffff0 : 0x7ffffff8] = bytes(8)
