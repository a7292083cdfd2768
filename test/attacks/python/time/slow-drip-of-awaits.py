# id: slow-drip-of-awaits
# title: a slow drip of awaits is ended by the deadline
# level: L1
# class: time
# expect: timeout interrupted
# control: outcome
# limits: {"interruptGraceMs":5000}
# timeout-ms: 600

import asyncio
while True: print("."); await asyncio.sleep(0.02)
