# id: a-repr
# title: the deadline ends an endless __repr__
# level: L1
# class: time
# expect: timeout
# control: outcome
# timeout-ms: 60

class A:
  def __repr__(self):
    while True: pass
A()
