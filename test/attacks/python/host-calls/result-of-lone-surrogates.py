# id: result-of-lone-surrogates
# title: a callback’s result of one million lone surrogates does not end the process
# level: L1
# class: host-calls
# expect: result 1000000 | python MemoryError
# control: none the claim is that the process lives
# timeout-ms: 30000
# rss-mib: 1500

len(await echo(x='\ud800' * 1_000_000))
