# id: a-finalizer-that-breeds
# title: the deadline ends a finalizer that breeds
# level: L1
# class: time
# expect: timeout
# control: outcome
# timeout-ms: 100

class A:
  def __del__(self): A()
while True: A()
