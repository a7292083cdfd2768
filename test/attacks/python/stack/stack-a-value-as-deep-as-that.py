# id: stack-a-value-as-deep-as-that
# title: exhausting the stack by a deeply nested value harms at most its own interpreter
# level: L1
# class: stack
# expect: any
# control: none CPython may stop it first

x = []
for _ in range(30_000): x = [x]
x
