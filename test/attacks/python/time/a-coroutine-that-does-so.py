# id: a-coroutine-that-does-so
# title: the deadline ends a coroutine that swallows every exception
# level: L1
# class: time
# expect: timeout
# control: outcome
# timeout-ms: 60

import asyncio
while True:
  try: await asyncio.sleep(1e6)
  except BaseException: pass
