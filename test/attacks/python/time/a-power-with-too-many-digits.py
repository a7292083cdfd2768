# id: a-power-with-too-many-digits
# title: the deadline ends a power with too many digits
# level: L1
# class: time
# expect: timeout | python
# control: outcome
# timeout-ms: 60

10 ** 10 ** 9
