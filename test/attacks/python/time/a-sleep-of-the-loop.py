# id: a-sleep-of-the-loop
# title: the deadline ends a long asyncio.sleep
# level: L1
# class: time
# expect: timeout | python
# control: outcome
# timeout-ms: 60

import asyncio; await asyncio.sleep(1e6)
