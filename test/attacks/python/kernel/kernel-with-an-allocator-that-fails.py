# id: kernel-with-an-allocator-that-fails
# title: a kernel with an allocator that fails harms only its own session
# level: L1
# class: kernel
# expect: any
# control: none it breaks what it runs on
# timeout-ms: 2000
# recover: true

import sys
KERNEL = sys.modules['_brumate.link'].KERNEL
import gc
gc.callbacks.append(lambda *a: 1 / 0)
gc.set_threshold(1)
# %%
1
# %% get sys
# %%
raise ValueError
# %%
import asyncio
await asyncio.sleep(0.01)
