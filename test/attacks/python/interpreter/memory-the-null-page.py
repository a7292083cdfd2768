# id: memory-the-null-page
# title: overwriting the null page harms at most its own interpreter
# level: L1
# class: interpreter
# expect: any
# control: none memory-forged shows that the writes are real
# prelude: forged-memory

memory[0:65536] = bytes(65536)
import decimal
decimal.Decimal(1) / 3
