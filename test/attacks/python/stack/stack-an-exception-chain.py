# id: stack-an-exception-chain
# title: exhausting the stack by an exception chain harms at most its own interpreter
# level: L1
# class: stack
# expect: any
# control: none CPython may stop it first

e = ValueError()
for _ in range(20_000):
  n = ValueError(); n.__cause__ = e; e = n
raise e
