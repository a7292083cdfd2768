# id: stack-a-deep-hash
# title: exhausting the stack by a deep hash harms at most its own interpreter
# level: L1
# class: stack
# expect: any
# control: none CPython may stop it first

a = ()
for _ in range(100_000): a = (a,)
hash(a)
