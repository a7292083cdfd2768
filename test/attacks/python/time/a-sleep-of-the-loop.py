# id: a-sleep-of-the-loop
# title: the deadline ends a sleep of the loop
# level: L1
# class: time
# expect: timeout | python
# control: outcome
# timeout-ms: 100

import asyncio; await asyncio.sleep(1e6)
