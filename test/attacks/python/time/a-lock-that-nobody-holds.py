# id: a-lock-that-nobody-holds
# title: the deadline ends a wait for a lock that is never released
# level: L1
# class: time
# expect: timeout | python
# control: outcome
# timeout-ms: 60

import threading; lock = threading.Lock(); lock.acquire(); lock.acquire()
