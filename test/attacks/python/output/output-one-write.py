# id: output-one-write
# title: one huge write is cut off at the limit
# level: L1
# class: output
# expect: limit outputBytes | timeout
# control: outcome
# limits: {"outputBytes":1048576}
# timeout-ms: 5000

import os
os.write(1, bytes(2**26))
