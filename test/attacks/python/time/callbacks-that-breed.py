# id: callbacks-that-breed
# title: the deadline ends callbacks that each schedule two more
# level: L1
# class: time
# expect: timeout | python
# control: outcome
# timeout-ms: 60

import asyncio
loop = asyncio.get_running_loop()
def f(): loop.call_soon(f); loop.call_soon(f)
f()
await asyncio.sleep(1e6)
