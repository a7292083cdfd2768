# id: stack-a-deep-comparison
# title: exhausting the stack by a deep comparison harms at most its own interpreter
# level: L1
# class: stack
# expect: any
# control: none CPython may stop it first

a, b = [], []
for _ in range(100_000): a, b = [a], [b]
a == b
