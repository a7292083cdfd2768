# id: memory-function-pointers-of-a-type
# title: overwriting the function pointers of a type harms at most its own interpreter
# level: L1
# class: interpreter
# expect: any
# control: none memory-forged shows that the writes are real
# prelude: forged-memory

for at in range(id(dict) + 24, id(dict) + 160, 4): memory[at : at + 4] = struct.pack("<I", 5)
{}
