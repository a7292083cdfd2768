# id: value-shared-many-times
# title: a value that contains one list thousands of times does not stall the main thread
# level: L1
# class: values
# expect: any
# control: none the main thread’s time is the claim
# timeout-ms: 8000

y = [1] * 1000
[y] * 4_100
