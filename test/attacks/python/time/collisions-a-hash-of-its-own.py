# id: collisions-a-hash-of-its-own
# title: the deadline ends a dictionary whose keys all have one hash
# level: L1
# class: time
# expect: timeout
# control: outcome
# timeout-ms: 60

class A:
  def __hash__(self): return 1
d = {A(): 0 for _ in range(10**6)}
