# id: host-calls-a-million-calls-that-nobody-awaits
# title: a million calls that are never awaited end in an error within the limits, and the session continues
# level: L1
# class: host-calls
# expect: python | timeout | crash
# control: outcome
# limits: {"memoryBytes":67108864}
# timeout-ms: 1000
# rss-mib: 1450
# recover: true

import asyncio
x = []
for _ in range(10**6): x.append(asyncio.create_task(echo(x=1)))
await asyncio.sleep(0)
