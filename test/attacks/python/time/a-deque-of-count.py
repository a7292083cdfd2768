# id: a-deque-of-count
# title: the deadline ends a deque filled from an endless counter
# level: L1
# class: time
# expect: timeout
# control: outcome
# timeout-ms: 60

import collections, itertools; collections.deque(itertools.count(), 0)
