# id: output-os-write-without-end
# title: os.write in an endless loop is cut off at the limit
# level: L1
# class: output
# expect: limit outputBytes | timeout
# control: outcome
# limits: {"outputBytes":1048576}
# timeout-ms: 5000

import os
while True: os.write(1, b'x' * 4096)
