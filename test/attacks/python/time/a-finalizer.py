# id: a-finalizer
# title: the deadline ends an endless finalizer
# level: L1
# class: time
# expect: timeout
# control: outcome
# timeout-ms: 60

class A:
  def __del__(self):
    while True: pass
a = A()
del a
