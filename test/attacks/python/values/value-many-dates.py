# id: value-many-dates
# title: a value of a hundred thousand dates does not stall the main thread
# level: L1
# class: values
# expect: any
# control: none the main thread’s time is the claim
# timeout-ms: 8000

import datetime
[datetime.datetime(2020, 1, 1)] * 100_000
