# id: a-storm-of-timers
# title: the deadline ends timers that keep firing
# level: L1
# class: time
# expect: timeout | python
# control: outcome
# timeout-ms: 60

import asyncio
loop = asyncio.get_running_loop()
def f(): loop.call_later(1e-6, f)
for _ in range(1000): f()
await asyncio.sleep(1e6)
