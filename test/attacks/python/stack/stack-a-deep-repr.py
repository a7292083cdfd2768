# id: stack-a-deep-repr
# title: exhausting the stack by a deep repr harms at most its own interpreter
# level: L1
# class: stack
# expect: any
# control: none CPython may stop it first

x = []
for _ in range(30_000): x = [x]
repr(x)
