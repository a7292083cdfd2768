// G18, S3: results and arguments of host calls that do not fit in the session's memory raise MemoryError where they are awaited, and do
// not affect anything else.
import { expect, test } from 'vitest'
import { py, pythonErrorOf } from '../support/session-code.js'
import { sharedManager } from '../support/shared-manager.js'

test('G18: a result larger than memory raises MemoryError, with await and with call_sync, and later calls work', async () => {
  const manager = await sharedManager({ slots: 1 })
  await using session = await manager.createSession({
    limits: { memoryBytes: 80 * 2 ** 20 },
    callbacks: { big: () => new Uint8Array(72 * 2 ** 20), echo: ({ x }: { x: number }) => x },
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

test('G18: results waiting to be read are limited to the session’s memory, and later calls work', async () => {
  const manager = await sharedManager({ slots: 1 })
  let made = 0
  await using session = await manager.createSession({
    limits: { memoryBytes: 96 * 2 ** 20 },
    callbacks: {
      big: () => {
        made += 1
        return new Uint8Array(4 * 2 ** 20)
      },
    },
  })
  const code = py`
    import asyncio, brumate, collections, time
    tasks = [asyncio.create_task(big()) for _ in range(60)]
    await asyncio.sleep(0)
    # Deaf to answers until all have been made.
    time.sleep(1)
    kinds = collections.Counter()
    for task in tasks:
        try: kinds[len(await task)] += 1
        except MemoryError as error: kinds[str(error)] += 1
    del tasks, task
    kinds['after'] = len(await big())
    dict((str(kind), count) for kind, count in kinds.items())
  `
  const kinds = (await session.execute(code)).value as Record<string, number>
  expect(made).toBe(61)
  const refused = `unread results of host calls exceed ${96 * 2 ** 20} bytes; make fewer calls at once`
  // 60 times 4 MiB is 240 MiB. At most 96 MiB of results wait, and the interpreter takes as many of those as fit in its memory.
  expect(kinds[refused]).toBeGreaterThanOrEqual(60 - 24)
  expect(kinds.after).toBe(4 * 2 ** 20)
})

test('S3: arguments that cannot be encoded for lack of memory raise MemoryError, and other calls are still sent', async () => {
  const manager = await sharedManager({ slots: 1 })
  await using session = await manager.createSession({
    limits: { memoryBytes: 256 * 2 ** 20 },
    callbacks: { sizeOf: ({ data }: { data: Uint8Array }) => data.length },
  })
  const code = py`
    import asyncio
    def small(size): return sizeOf(data=bytes(size))
    gathered = await asyncio.gather(small(1), sizeOf(data=bytes(70_000_000)), small(3), return_exceptions=True)
    [value if isinstance(value, int) else repr(value) for value in gathered]
  `
  const message = "MemoryError('there is no memory left to send the arguments of sizeOf()')"
  expect((await session.execute(code)).value).toEqual([1, message, 3])
  const error = await pythonErrorOf(session.execute('await sizeOf(data=bytes(70_000_000))'))
  expect(error).toMatchObject({ type: 'MemoryError' })
  expect((await session.execute('await sizeOf(data=bytes(5))')).value).toBe(5)
})
