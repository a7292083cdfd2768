# id: a-finalizer-that-breeds
# title: the deadline ends finalizers that each make another object
# level: L1
# class: time
# expect: timeout
# control: outcome
# timeout-ms: 60

class A:
  def __del__(self): A()
while True: A()
