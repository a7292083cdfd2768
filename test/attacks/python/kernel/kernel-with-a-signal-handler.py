# id: kernel-with-a-signal-handler
# title: a kernel with a signal handler harms only its own session
# level: L1
# class: kernel
# expect: any
# control: none it breaks what it runs on
# timeout-ms: 2000
# recover: true

import sys
KERNEL = sys.modules['_brumate.link'].KERNEL
import signal
signal.signal(signal.SIGINT, lambda *a: 1 / 0)
# %%
1
# %% get sys
# %%
raise ValueError
# %%
import asyncio
await asyncio.sleep(0.01)
