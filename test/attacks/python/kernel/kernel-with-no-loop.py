# id: kernel-with-no-loop
# title: a kernel without its event loop harms only its own session
# level: L1
# class: kernel
# expect: any
# control: none it breaks what it runs on
# timeout-ms: 2000
# recover: true

import sys
KERNEL = sys.modules['_brumate.link'].KERNEL
KERNEL.loop = None
# %%
1
# %% get sys
# %%
raise ValueError
# %%
import asyncio
await asyncio.sleep(0.01)
