# id: poll-for-ever
# title: the deadline ends an endless poll
# level: L1
# class: time
# expect: timeout | python
# control: outcome
# timeout-ms: 60

import select; select.poll().poll()
