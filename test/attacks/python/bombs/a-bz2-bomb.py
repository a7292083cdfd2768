# id: a-bz2-bomb
# title: a bz2 bomb ends in an error within the limits
# level: L1
# class: bombs
# expect: error
# control: outcome
# limits: {"memoryBytes":67108864}
# timeout-ms: 4000
# rss-mib: 800

import bz2
bomb = bz2.compress(bytes(2**21))
x = []
while True: x.append(bz2.decompress(bomb))
