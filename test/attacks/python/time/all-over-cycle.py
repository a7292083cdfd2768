# id: all-over-cycle
# title: the deadline ends all() of an endless iterator
# level: L1
# class: time
# expect: timeout
# control: outcome
# timeout-ms: 60

import itertools; all(itertools.cycle([1]))
