# id: stack-a-chain-of-iterators
# title: exhausting the stack by a chain of iterators harms at most its own interpreter
# level: L1
# class: stack
# expect: any
# control: none CPython may stop it first

it = iter([1])
for _ in range(200_000): it = map(str, it)
next(it)
