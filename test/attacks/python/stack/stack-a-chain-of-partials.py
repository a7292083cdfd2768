# id: stack-a-chain-of-partials
# title: exhausting the stack by a chain of partials harms at most its own interpreter
# level: L1
# class: stack
# expect: any
# control: none CPython may stop it first

import functools
f = str
for _ in range(200_000): f = functools.partial(f, **{})
f()
