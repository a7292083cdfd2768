# id: stack-a-deep-deallocation
# title: exhausting the stack by a deep deallocation harms at most its own interpreter
# level: L1
# class: stack
# expect: any
# control: none CPython may stop it first

x = None
for _ in range(1_000_000): x = (x,)
del x
