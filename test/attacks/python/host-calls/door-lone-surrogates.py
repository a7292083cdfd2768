# id: door-lone-surrogates
# title: the arguments of a blocking call that are slow to decode do not stall the main thread
# level: L1
# class: host-calls
# expect: any
# control: none the main thread’s time is the claim
# timeout-ms: 8000

import marshal, os
os.write(0x3FFFFFFF, marshal.dumps((1, 'echo', {'x': ['\ud800'] * 1_100_000}), 2))
import time
time.sleep(0.05)
