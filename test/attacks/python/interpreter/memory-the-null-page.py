# id: memory-the-null-page
# title: memory: the null page
# level: L1
# class: interpreter
# expect: any
# control: none memory-forged shows that the writes are real
# prelude: forged-memory

memory[0:65536] = bytes(65536)
import decimal
decimal.Decimal(1) / 3
