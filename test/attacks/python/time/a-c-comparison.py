# id: a-c-comparison
# title: the deadline ends endless comparisons of long lists
# level: L1
# class: time
# expect: timeout
# control: outcome
# timeout-ms: 60

x = [0] * 2_000_000
while not (x < x): pass
