# id: a-finally-that-goes-on
# title: the deadline ends an endless finally block
# level: L1
# class: time
# expect: timeout
# control: outcome
# timeout-ms: 60

try:
  while True: pass
finally:
  while True: pass
