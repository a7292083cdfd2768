# id: result-of-deep-dates
# title: a callback’s argument with deeply nested dates, whose paths take a thousand times its size, is refused
# level: L1
# class: host-calls
# expect: python TypeError
# control: outcome
# timeout-ms: 30000
# rss-mib: 1500

import datetime
value = [datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)] * 20_000
for i in range(100): value = {'k' * 5000 + str(i): value}
await echo(x=value)
