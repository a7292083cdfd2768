# id: value-big-integers
# title: a value of two million integers of 60 bits does not stall the main thread
# level: L1
# class: values
# expect: any
# control: none the main thread’s time is the claim
# timeout-ms: 8000

[2**60] * 2_000_000
