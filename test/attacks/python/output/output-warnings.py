# id: output-warnings
# title: warnings in an endless loop are cut off at the limit
# level: L1
# class: output
# expect: limit outputBytes | timeout
# control: outcome
# limits: {"outputBytes":1048576}
# timeout-ms: 5000

import warnings
warnings.simplefilter("always")
while True: warnings.warn("x" * 1000)
