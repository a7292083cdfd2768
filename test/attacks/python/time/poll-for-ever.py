# id: poll-for-ever
# title: the deadline ends poll for ever
# level: L1
# class: time
# expect: timeout | python
# control: outcome
# timeout-ms: 400

import select; select.poll().poll()
