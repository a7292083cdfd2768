# id: output-a-loop-that-swallows-the-interrupt
# title: output of a loop that swallows the interrupt is cut off at the limit
# level: L1
# class: output
# expect: limit outputBytes | timeout
# control: outcome
# limits: {"outputBytes":1048576}
# timeout-ms: 100

while True:
  try:
    while True: print('x' * 65536)
  except BaseException: pass
