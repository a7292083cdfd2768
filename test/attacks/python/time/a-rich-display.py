# id: a-rich-display
# title: the deadline ends a rich display
# level: L1
# class: time
# expect: timeout
# control: outcome
# timeout-ms: 100

class A:
  def _repr_html_(self):
    while True: pass
A()
