# id: timer-after-a-lost-worker
# title: no timer fires into a later call after the worker was lost
# level: L1
# class: late-effects
# expect: result
# control: outcome
# stdout: ""
# timeout-ms: 200

import asyncio, itertools
asyncio.get_running_loop().call_later(0.1, print, "late")
sum(itertools.repeat(1))
# %%
import asyncio; await asyncio.sleep(0.1)
