# id: output-os-write-through-a-duplicate
# title: os.write through a duplicated descriptor is cut off at the limit
# level: L1
# class: output
# expect: limit outputBytes | timeout
# control: outcome
# limits: {"outputBytes":1048576}
# timeout-ms: 5000

import os
fd = os.dup(1)
while True: os.write(fd, b'x' * 4096)
