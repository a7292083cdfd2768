# id: value-many-keys
# title: a value that is a dictionary of 110,000 keys does not stall the main thread
# level: L1
# class: values
# expect: any
# control: none the main thread’s time is the claim
# timeout-ms: 8000

{str(n): n for n in range(110_000)}
