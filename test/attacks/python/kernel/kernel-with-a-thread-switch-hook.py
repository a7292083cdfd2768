# id: kernel-with-a-thread-switch-hook
# title: a kernel with a thread switch hook harms only its own session
# level: L1
# class: kernel
# expect: any
# control: none it breaks what it runs on
# timeout-ms: 2000
# recover: true

import sys
KERNEL = sys.modules['_brumate.link'].KERNEL
sys.displayhook = sys.excepthook = None
sys.setrecursionlimit(60)
# %%
1
# %% get sys
# %%
raise ValueError
# %%
import asyncio
await asyncio.sleep(0.01)
