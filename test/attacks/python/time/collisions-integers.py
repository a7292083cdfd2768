# id: collisions-integers
# title: the deadline ends a set of integers with colliding hashes
# level: L1
# class: time
# expect: timeout
# control: outcome
# timeout-ms: 60

set(range(0, 10**9 * (2**31 - 1), 2**31 - 1))
