# id: host-calls-one-that-blocks-as-large
# title: one result of a blocking call larger than memory ends in an error, and the session continues
# level: L1
# class: host-calls
# expect: python | timeout | crash
# control: outcome
# limits: {"memoryBytes":67108864}
# timeout-ms: 5000
# rss-mib: 1450

import brumate; x = brumate.call_sync('big', bytes=2**26)
