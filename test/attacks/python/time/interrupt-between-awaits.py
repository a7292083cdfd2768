# id: interrupt-between-awaits
# title: an interrupt is not lost between awaits
# level: L1
# class: time
# expect: timeout interrupted
# control: outcome
# limits: {"interruptGraceMs":5000}
# timeout-ms: 60

import asyncio
async def a():
    while True:
        await asyncio.sleep(0.001)
await asyncio.gather(*[a() for _ in range(50)])
