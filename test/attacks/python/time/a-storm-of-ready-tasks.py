# id: a-storm-of-ready-tasks
# title: the deadline ends tasks that are always ready
# level: L1
# class: time
# expect: timeout | python
# control: outcome
# timeout-ms: 60

import asyncio
while True: await asyncio.sleep(0)
