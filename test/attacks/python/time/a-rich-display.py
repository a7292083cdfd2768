# id: a-rich-display
# title: the deadline ends an endless _repr_html_
# level: L1
# class: time
# expect: timeout
# control: outcome
# timeout-ms: 60

class A:
  def _repr_html_(self):
    while True: pass
A()
