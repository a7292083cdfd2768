# id: collisions-a-hash-of-its-own
# title: collisions of a hash of its own are ended by the deadline
# level: L1
# class: time
# expect: timeout
# control: outcome
# timeout-ms: 100

class A:
  def __hash__(self): return 1
d = {A(): 0 for _ in range(10**6)}
