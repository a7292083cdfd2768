# id: a-queue-that-nobody-fills
# title: the deadline ends a wait for a queue that nobody fills
# level: L1
# class: time
# expect: timeout | python
# control: outcome
# timeout-ms: 60

import queue; queue.Queue().get()
