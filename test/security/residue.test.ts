// What a session leaves behind: the next session in the same thread, of any tenant, finds only the image, in memory and in files.
// Two sessions never draw the same random numbers.
import type { Session, SessionManager } from 'brumate'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openManager } from '../support/manager.js'
import { py } from '../support/session-code.js'
import { READ_ALL_MEMORY } from './support/forged-memory.js'

let manager: SessionManager

beforeAll(async () => {
  manager = await openManager({ slots: 1 })
})

afterAll(() => manager?.close())

const SECRET = 'Wombat-7261'

const LEAVE = py`
  import os, sys, builtins, asyncio, threading, gc
  secret = '${SECRET}'
  copies = [secret + str(i) for i in range(1000)]
  builtins.secret = sys.secret = secret
  os.environ['SECRET'] = secret
  with open('/tmp/${SECRET}', 'w') as file:
      file.write(secret * 1000)
  os.chdir('/tmp')
  os.umask(0o077)
  print(secret)
  kept = open('/tmp/${SECRET}')
  reader, writer = os.pipe()
  os.write(writer, secret.encode())
  async def stay():
      while True:
          await asyncio.sleep(0.01)
          print(secret)
  task = asyncio.create_task(stay())
  await asyncio.sleep(0.03)
`

/** Counts the copies in memory. The source has the secret in another form; the search's own copy does not count. */
const SEARCH = `${READ_ALL_MEMORY}
needle = bytearray(byte ^ 0x55 for byte in [${[...Buffer.from(SECRET)].map((byte) => byte ^ 0x55).join(', ')}])
found, at = -1, memory.find(needle, 0, SIZE)
while at >= 0: found, at = found + 1, memory.find(needle, at + 1, SIZE)
found`

async function expectClean(session: Session): Promise<void> {
  expect((await session.execute(SEARCH)).value, 'copies in memory').toBe(0)
  const { value } = await session.execute(py`
    import os
    [os.listdir('/tmp'), os.getcwd(), oct(os.umask(0o022)), 'SECRET' in os.environ, os.open('/dev/null', 0)]
  `)
  expect(value).toEqual([[], '/home/pyodide', '0o22', false, 3])
  expect((await session.execute('import asyncio; await asyncio.sleep(0.05)')).stdout).toBe('')
}

describe('data that a session leaves behind', () => {
  it('I1 control: is found by the search', async () => {
    await using session = await manager.createSession()
    await session.execute(LEAVE)
    expect((await session.execute(SEARCH)).value).toBeGreaterThan(1000)
  })

  it('I1, I2: is gone for the next session of its tenant in the same thread', async () => {
    const first = await manager.createSession({ tenant: 'same' })
    await first.execute(LEAVE)
    await first.close()
    const { boots, renewals } = manager.stats().counters
    await using second = await manager.createSession({ tenant: 'same' })
    expect(manager.stats().counters).toMatchObject({ boots, renewals: renewals + 1 })
    await expectClean(second)
  })

  it('I1, I2: is gone for the session itself after reset', async () => {
    await using session = await manager.createSession()
    await session.execute(LEAVE)
    await session.reset()
    await expectClean(session)
  })

  it('S1, I2: is gone for a session of another tenant in the same thread', async () => {
    const first = await manager.createSession({ tenant: 'one' })
    await first.execute(LEAVE)
    await first.close()
    const { boots, renewals } = manager.stats().counters
    await using second = await manager.createSession({ tenant: 'two' })
    expect(manager.stats().counters).toMatchObject({ boots, renewals: renewals + 1 })
    await expectClean(second)
  })
})

describe('H14: randomness', () => {
  const DRAW = py`
    import os, random, secrets, tempfile, uuid
    [random.random(), random.Random().random(), os.urandom(8).hex(), secrets.token_hex(8), str(uuid.uuid4()), tempfile.mktemp()]
  `

  it('H14: sessions draw different numbers, in one thread and in several', async () => {
    const draws: unknown[][] = []
    for (const tenant of ['one', 'one', 'two', 'two', 'three']) {
      await using session = await manager.createSession({ tenant })
      draws.push((await session.execute(DRAW)).value as unknown[])
      await session.reset()
      draws.push((await session.execute(DRAW)).value as unknown[])
    }
    for (let kind = 0; kind < 6; kind++) {
      expect(new Set(draws.map((draw) => draw[kind])).size).toBe(draws.length)
    }
  })
})
