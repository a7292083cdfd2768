# id: memory-the-size-of-a-list
# title: a forged list size harms at most its own interpreter
# level: L1
# class: interpreter
# expect: any
# control: none memory-forged shows that the writes are real
# prelude: forged-memory

victim = [1]
memory[id(victim) + 8 : id(victim) + 12] = struct.pack("<i", 0x1fffffff)
victim.sort()
