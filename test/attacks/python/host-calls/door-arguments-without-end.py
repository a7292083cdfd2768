# id: door-arguments-without-end
# title: arguments sent past the awaiting kernel are in an account
# level: L1
# class: host-calls
# expect: any
# control: none the process’s memory is the claim
# timeout-ms: 8000
# rss-mib: 1300

import asyncio
from _brumate.calls import CALLS
for _ in range(30):
    CALLS.tell('echo', {'x': 'a' * 30_000_000})
    await asyncio.sleep(0)
