# id: tasks-after-the-end
# title: tasks that outlive their execution write to no later call
# level: L1
# class: late-effects
# expect: result False
# control: outcome

import asyncio
async def late():
    while True:
        await asyncio.sleep(0)
        print('late')
task = asyncio.ensure_future(late())
# %%
# %% reset
# %%
'task' in globals()
