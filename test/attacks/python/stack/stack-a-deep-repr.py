# id: stack-a-deep-repr
# title: no stack left: a deep repr
# level: L1
# class: stack
# expect: any
# control: none CPython may stop it first

x = []
for _ in range(30_000): x = [x]
repr(x)
