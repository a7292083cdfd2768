# id: kernel-with-an-outbox-of-another-kind
# title: a kernel with an outbox of another kind harms its own session only
# level: L1
# class: kernel
# expect: any
# control: none it breaks what it runs on
# timeout-ms: 2000
# recover: true

import sys
KERNEL = sys.modules['_brumate.link'].KERNEL
KERNEL.callbacks.outbox = 5
# %%
1
# %% get sys
# %%
raise ValueError
# %%
import asyncio
await asyncio.sleep(0.01)
