# id: value-many-keys
# title: a dictionary of a million keys as a value
# level: L1
# class: values
# expect: any
# control: none the main thread’s time is the claim
# timeout-ms: 8000

{str(n): n for n in range(1_000_000)}
