# id: sum-over-repeat
# title: the deadline ends sum() of an endless iterator
# level: L1
# class: time
# expect: timeout
# control: outcome
# timeout-ms: 60

import itertools; sum(itertools.repeat(1))
