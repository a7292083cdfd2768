# id: memory-all-of-it-with-ones
# title: overwriting all memory with ones harms at most its own interpreter
# level: L1
# class: interpreter
# expect: any
# control: none memory-forged shows that the writes are real
# prelude: forged-memory

for at in range(0, SIZE, 4096): memory[at : at + 4096] = b'\xff' * 4096
