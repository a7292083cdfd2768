# id: a-compressed-bomb
# title: a zlib bomb stops with an error at the limit
# level: L1
# class: bombs
# expect: python
# control: outcome
# limits: {"memoryBytes":67108864}
# rss-mib: 900
# timeout-ms: 15000

import zlib
bomb = zlib.compress(bytes(2**22)) 
x = []
while True: x.append(zlib.decompress(bomb))
