# id: a-loop-that-swallows-every-exception
# title: the deadline ends a loop that swallows every exception
# level: L1
# class: time
# expect: timeout
# control: outcome
# timeout-ms: 60

while True:
  try:
    while True: pass
  except BaseException: pass
