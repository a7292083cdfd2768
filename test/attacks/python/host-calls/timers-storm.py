# id: timers-storm
# title: sixty thousand timers that make calls do not outlast the deadline
# level: L1
# class: host-calls
# expect: timeout | python | crash
# control: outcome
# timeout-ms: 250
# recover: true

import asyncio
loop = asyncio.get_running_loop()
for n in range(60_000): loop.call_later(n / 1e9, lambda: asyncio.ensure_future(echo(x=1)))
await asyncio.sleep(1e6)
