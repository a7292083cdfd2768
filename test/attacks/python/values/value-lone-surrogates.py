# id: value-lone-surrogates
# title: a value of 1.1 million lone surrogates does not stall the main thread
# level: L1
# class: values
# expect: any
# control: none the main thread’s time is the claim
# timeout-ms: 8000

['\ud800'] * 1_100_000
