# id: a-product-of-huge-numbers-in-c
# title: the deadline ends a product of huge numbers in C
# level: L1
# class: time
# expect: timeout
# control: outcome
# timeout-ms: 60

x = 7 ** 2_000_000
import functools, itertools, operator
functools.reduce(operator.mul, itertools.repeat(x))
