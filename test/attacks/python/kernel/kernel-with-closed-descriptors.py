# id: kernel-with-closed-descriptors
# title: a kernel with closed descriptors harms only its own session
# level: L1
# class: kernel
# expect: any
# control: none it breaks what it runs on
# timeout-ms: 2000
# recover: true

import sys
KERNEL = sys.modules['_brumate.link'].KERNEL
import os
for fd in range(3): os.close(fd)
# %%
1
# %% get sys
# %%
raise ValueError
# %%
import asyncio
await asyncio.sleep(0.01)
