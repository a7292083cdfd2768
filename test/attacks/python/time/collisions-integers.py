# id: collisions-integers
# title: collisions of integers are ended by the deadline
# level: L1
# class: time
# expect: timeout
# control: outcome
# timeout-ms: 100

set(range(0, 10**9 * (2**31 - 1), 2**31 - 1))
