# id: value-big-integers
# title: two million integers of 60 bits as a value
# level: L1
# class: values
# expect: any
# control: none the main thread’s time is the claim
# timeout-ms: 8000

[2**60] * 2_000_000
