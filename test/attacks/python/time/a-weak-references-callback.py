# id: a-weak-references-callback
# title: the deadline ends an endless callback of a weak reference
# level: L1
# class: time
# expect: timeout
# control: outcome
# timeout-ms: 60

import weakref
class A: pass
a = A()
def f(_):
  while True: pass
r = weakref.ref(a, f)
del a
