# id: os-exit-in-a-task
# title: os._exit in a task ends only the call that did it
# level: L1
# class: interpreter
# expect: crash restored
# control: outcome

import asyncio, os
async def end():
    os._exit(1)
await asyncio.create_task(end())
