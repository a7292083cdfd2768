# id: value-lone-surrogates
# title: a value of three million lone surrogates does not stall the main thread
# level: L1
# class: values
# expect: any
# control: none the main thread’s time is the claim
# timeout-ms: 8000

['\ud800'] * 3_000_000
