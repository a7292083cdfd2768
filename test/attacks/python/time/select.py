# id: select
# title: the deadline ends an endless select
# level: L1
# class: time
# expect: timeout | python
# control: outcome
# timeout-ms: 60

import select; select.select([], [], [], 1e6)
