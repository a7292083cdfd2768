# id: value-big-integers
# title: a value of 1.1 million integers of 60 bits does not stall the main thread
# level: L1
# class: values
# expect: any
# control: none the main thread’s time is the claim
# timeout-ms: 8000

[2**60] * 1_100_000
