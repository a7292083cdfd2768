# id: a-busy-loop
# title: the deadline ends a busy loop
# level: L1
# class: time
# expect: timeout | python
# control: outcome
# timeout-ms: 60

while True: pass
