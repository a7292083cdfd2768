# id: host-calls-calls-with-large-arguments-that-nobod
# title: calls with large arguments that are never awaited end in an error within the limits, and the session continues
# level: L1
# class: host-calls
# expect: python | timeout | crash
# control: outcome
# limits: {"memoryBytes":67108864}
# timeout-ms: 1500
# rss-mib: 1450

import asyncio
x = []
while True:
  x.append(asyncio.create_task(echo(x=bytes(2**20))))
  await asyncio.sleep(0)
