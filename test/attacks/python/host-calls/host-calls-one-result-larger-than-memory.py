# id: host-calls-one-result-larger-than-memory
# title: one result larger than memory ends in an error, and the session continues
# level: L1
# class: host-calls
# expect: python | timeout | crash
# control: outcome
# limits: {"memoryBytes":67108864}
# timeout-ms: 5000
# rss-mib: 1450

x = await big(bytes=2**26)
