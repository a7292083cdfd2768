# id: value-many-sets
# title: a value of 600,000 sets does not stall the main thread
# level: L1
# class: values
# expect: any
# control: none the main thread’s time is the claim
# timeout-ms: 8000

[set()] * 600_000
