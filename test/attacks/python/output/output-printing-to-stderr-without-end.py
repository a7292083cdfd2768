# id: output-printing-to-stderr-without-end
# title: printing to stderr in an endless loop is cut off at the limit
# level: L1
# class: output
# expect: limit outputBytes | timeout
# control: outcome
# limits: {"outputBytes":1048576}
# timeout-ms: 5000

import sys
while True: print('x' * 65536, file=sys.stderr)
