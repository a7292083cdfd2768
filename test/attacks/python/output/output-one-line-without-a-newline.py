# id: output-one-line-without-a-newline
# title: one endless line is cut off at the limit
# level: L1
# class: output
# expect: limit outputBytes | timeout
# control: outcome
# limits: {"outputBytes":65536}
# timeout-ms: 5000

import sys
while True: sys.stdout.write('x')
