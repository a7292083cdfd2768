# id: collisions-in-a-loop
# title: collisions of in a loop are ended by the deadline
# level: L1
# class: time
# expect: timeout
# control: outcome
# timeout-ms: 100

d = {}
for n in range(10**9): d[n * (2**31 - 1)] = 0
