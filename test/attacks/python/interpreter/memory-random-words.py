# id: memory-random-words
# title: overwriting random words of memory harms at most its own interpreter
# level: L1
# class: interpreter
# expect: any
# control: none memory-forged shows that the writes are real
# prelude: forged-memory
# recover: true

import random
while True: at = random.randrange(SIZE); memory[at : at + 4] = random.randbytes(4)
