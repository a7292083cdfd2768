// docs/untrusted-keys.md: its statements about hashes are true, and its Python code works.
import { readFileSync } from 'node:fs'
import type { Session, SessionManager } from 'brumate'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openManager } from '../support/manager.js'

const page = readFileSync(new URL('../../docs/untrusted-keys.md', import.meta.url), 'utf8')
const recipe = [...page.matchAll(/```python\n(.*?)```/gs)].map(([, code = '']) => code).join('\n')

/** Texts whose hashes end in the same ten bits. */
const COLLIDING = `
colliding = [text for text in map('k{}'.format, range(100_000)) if (hash(text) ^ hash('k54321')) & 0x3ff == 0]
[len(colliding), hash('x'), list({'a', 'b', 'c', 'dd', 'ee'})]
`
const SPREAD = `
def spread(values): return len({value & 0x3ff for value in values}) / len(values)
[spread([*map(hash, colliding)]) < 0.1, spread([hash(Keyed(text)) for text in colliding]) > 0.5]
`
const HASHES = "[hash(Keyed('a name')), keyed('a name').hex()]"

let manager: SessionManager
let sessions: Session[]
beforeAll(async () => {
  manager = await openManager({ slots: 2 })
  sessions = [await manager.createSession(), await manager.createSession()]
  for (const session of sessions) await session.execute(recipe)
})
afterAll(() => manager?.close())

const inBoth = (code: string) =>
  Promise.all(sessions.map(async (session) => (await session.execute(code)).value))

test('plain texts have the same hash in all sessions, and collisions can be crafted', async () => {
  const [one, other] = await inBoth(COLLIDING)
  expect(one).toEqual(other)
  expect((one as [number])[0]).toBeGreaterThan(50)
})

test('keyed hashes differ between sessions and do not collide', async () => {
  const [one, other] = await inBoth(HASHES)
  expect(one).not.toEqual(other)
  await inBoth(COLLIDING)
  expect(await inBoth(SPREAD)).toEqual([
    [true, true],
    [true, true],
  ])
})

test('dictionaries with either kind of keyed key work', async () => {
  const code = `
seen.update((keyed(text), (text, i)) for i, text in enumerate(colliding))
counts.update((Keyed(text), i) for i, text in enumerate(colliding))
[all(seen[keyed(text)] == (text, i) and counts[Keyed(text)] == i for i, text in enumerate(colliding)),
 keyed('no name') in seen, Keyed('no name') in counts, len(counts) == len(colliding) + 1]
`
  await inBoth(COLLIDING)
  expect(await inBoth(code)).toEqual([
    [true, false, false, true],
    [true, false, false, true],
  ])
})
