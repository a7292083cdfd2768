# id: collisions-in-a-loop
# title: the deadline ends a loop that adds integers with colliding hashes
# level: L1
# class: time
# expect: timeout
# control: outcome
# timeout-ms: 60

d = {}
for n in range(10**9): d[n * (2**31 - 1)] = 0
