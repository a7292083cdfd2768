# id: a-regular-expression-that-backtracks
# title: the deadline ends a regular expression that backtracks
# level: L1
# class: time
# expect: timeout | python
# control: outcome
# timeout-ms: 60

import re; re.match('(a+)+$', 'a' * 40 + 'b')
