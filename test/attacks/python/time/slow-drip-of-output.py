# id: slow-drip-of-output
# title: the deadline ends an endless loop of short sleeps with output
# level: L1
# class: time
# expect: timeout interrupted
# control: outcome
# limits: {"interruptGraceMs":5000}
# timeout-ms: 600

import time
while True: print("."); time.sleep(0.02)
