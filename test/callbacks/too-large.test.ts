// G18, S3: results of host calls that the session has no memory for are a MemoryError where they are awaited, and in nobody's way.
import { expect, test } from 'vitest'
import { managerForTest } from '../support/manager.js'
import { py, pythonErrorOf } from '../support/session-code.js'

test('G18: a result larger than memory raises MemoryError, by either way, and later calls go on', async () => {
  const manager = await managerForTest({ slots: 1, limits: { memoryBytes: 96 * 2 ** 20 } })
  await using session = await manager.createSession({
    callbacks: { big: () => new Uint8Array(2 ** 27), echo: ({ x }: { x: number }) => x },
  })
  const code = py`
    import asyncio, brumate
    seen = []
    async def both():
        try: await big()
        except MemoryError as error: seen.append(str(error))
        return await echo(x=1)
    values = await asyncio.gather(both(), echo(x=2))
    try: brumate.call_sync('big')
    except MemoryError as error: seen.append(str(error))
    values.append(brumate.call_sync('echo', x=3))
    [values, seen]
  `
  const message = 'there is no memory left for the result of a host call'
  expect((await session.execute(code)).value).toEqual([
    [1, 2, 3],
    [message, message],
  ])
  expect((await pythonErrorOf(session.execute('await big()'))).type).toBe('MemoryError')
  expect((await session.execute('await echo(x=4)')).value).toBe(4)
})
