# id: stack-a-deep-hash
# title: no stack left: a deep hash
# level: L1
# class: stack
# expect: any
# control: none CPython may stop it first

a = ()
for _ in range(100_000): a = (a,)
hash(a)
