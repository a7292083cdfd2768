# id: an-awaited-future-that-nobody-sets
# title: the deadline ends a wait for a future that nobody sets
# level: L1
# class: time
# expect: timeout | python
# control: outcome
# timeout-ms: 60

import asyncio; f = asyncio.Future(); asyncio.get_running_loop().call_later(1e6, f.set_result, 1); await f
