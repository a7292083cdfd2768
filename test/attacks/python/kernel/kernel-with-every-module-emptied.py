# id: kernel-with-every-module-emptied
# title: a kernel whose modules are all empty harms only its own session
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
