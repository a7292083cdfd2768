# id: stack-a-value-as-deep-as-that
# title: no stack left: a value as deep as that
# level: L1
# class: stack
# expect: any
# control: none CPython may stop it first

x = []
for _ in range(30_000): x = [x]
x
