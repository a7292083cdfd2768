# id: host-calls-large-results-without-end
# title: large results of calls in an endless loop end in an error within the limits, and the session continues
# level: L1
# class: host-calls
# expect: python | timeout | crash
# control: outcome
# limits: {"memoryBytes":67108864}
# timeout-ms: 5000
# rss-mib: 1450

x = []
while True: x.append(await big(bytes=2**23))
