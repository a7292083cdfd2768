# id: output-printing-to-stderr-without-end
# title: printing to stderr without end is cut at the limit
# level: L1
# class: output
# expect: limit outputBytes | timeout
# control: outcome
# limits: {"outputBytes":1048576}
# timeout-ms: 5000

import sys
while True: print('x' * 65536, file=sys.stderr)
