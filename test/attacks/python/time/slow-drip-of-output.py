# id: slow-drip-of-output
# title: a slow drip of output is ended by the deadline
# level: L1
# class: time
# expect: timeout interrupted
# control: outcome
# limits: {"interruptGraceMs":5000}
# timeout-ms: 600

import time
while True: print("."); time.sleep(0.02)
