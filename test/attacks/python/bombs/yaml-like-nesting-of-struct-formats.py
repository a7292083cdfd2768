# id: yaml-like-nesting-of-struct-formats
# title: YAML-like nesting of struct formats ends in an error within the limits
# level: L1
# class: bombs
# expect: error
# control: outcome
# limits: {"memoryBytes":67108864}
# timeout-ms: 4000
# rss-mib: 800

import struct
struct.calcsize('2147483647q' * 1000)
