# id: a-busy-coroutine
# title: the deadline ends a busy coroutine
# level: L1
# class: time
# expect: timeout | python
# control: outcome
# timeout-ms: 60

async def f():
  while True: pass
await f()
