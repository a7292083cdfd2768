# id: the-text-of-an-error
# title: the deadline ends an endless __str__ of an error
# level: L1
# class: time
# expect: timeout
# control: outcome
# timeout-ms: 60

class E(Exception):
  def __str__(self):
    while True: pass
raise E
