# id: a-long-sleep
# title: the deadline ends a long sleep
# level: L1
# class: time
# expect: timeout | python
# control: outcome
# timeout-ms: 60

import time; time.sleep(1e6)
