# id: kernel-with-every-module-emptied
# title: a kernel with every module emptied harms its own session only
# level: L1
# class: kernel
# expect: any
# control: none it breaks what it runs on
# timeout-ms: 2000
# recover: true

import sys
KERNEL = sys.modules['_brumate.link'].KERNEL
for name in [*sys.modules]:
  if name.startswith('_brumate'): sys.modules[name].__dict__.clear()
# %%
1
# %% get sys
# %%
raise ValueError
# %%
import asyncio
await asyncio.sleep(0.01)
