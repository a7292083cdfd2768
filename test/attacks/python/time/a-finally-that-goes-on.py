# id: a-finally-that-goes-on
# title: the deadline ends a finally that goes on
# level: L1
# class: time
# expect: timeout
# control: outcome
# timeout-ms: 100

try:
  while True: pass
finally:
  while True: pass
