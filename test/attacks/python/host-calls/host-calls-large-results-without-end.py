# id: host-calls-large-results-without-end
# title: large results without end: an error in bounds, and the session goes on
# level: L1
# class: host-calls
# expect: python | timeout | crash
# control: outcome
# limits: {"memoryBytes":67108864}
# timeout-ms: 5000
# rss-mib: 1450

x = []
while True: x.append(await big(bytes=2**23))
