# id: tasks-without-end
# title: making tasks in an endless loop ends in a Python error
# level: L1
# class: memory
# expect: python
# control: outcome
# limits: {"memoryBytes":67108864}
# recover: true
# timeout-ms: 15000

import asyncio
x = []
while True: x.append(asyncio.ensure_future(asyncio.sleep(1e6)))
