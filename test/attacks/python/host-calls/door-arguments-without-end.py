# id: door-arguments-without-end
# title: large arguments of unawaited calls are counted as memory, so the process stays small
# level: L1
# class: host-calls
# expect: any
# control: none the process’s memory is the claim
# limits: {"memoryBytes":134217728}
# timeout-ms: 8000
# rss-mib: 850

import asyncio
from _brumate.calls import CALLS
for _ in range(40):
    CALLS.tell('echo', {'x': 'a' * 20_000_000})
    await asyncio.sleep(0)
