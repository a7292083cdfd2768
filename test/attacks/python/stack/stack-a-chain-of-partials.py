# id: stack-a-chain-of-partials
# title: no stack left: a chain of partials
# level: L1
# class: stack
# expect: any
# control: none CPython may stop it first

import functools
f = str
for _ in range(200_000): f = functools.partial(f, **{})
f()
