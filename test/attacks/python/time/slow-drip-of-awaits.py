# id: slow-drip-of-awaits
# title: the deadline ends an endless loop of short awaits with output
# level: L1
# class: time
# expect: timeout interrupted
# control: outcome
# limits: {"interruptGraceMs":5000}
# timeout-ms: 600

import asyncio
while True: print("."); await asyncio.sleep(0.02)
