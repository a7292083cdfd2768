# id: digits-of-a-huge-number
# title: the deadline ends the conversion of a huge number to digits
# level: L1
# class: time
# expect: timeout | python
# control: outcome
# timeout-ms: 60

import sys; sys.set_int_max_str_digits(0); str(7 ** 10_000_000)
