// H1: values passed to a session are encoded in slices, so that returning a guest's own large value does not block the main thread.
import { ConversionError, SessionClosedError } from 'brumate'
import { expect, test } from 'vitest'
import { rejectionOf } from '../support/session-code.js'
import { sharedManager } from '../support/shared-manager.js'

const COUNT = 100_000
const large = Array.from({ length: COUNT }, (_, i) => `${i}: \ud800`)
test('H1: set and resume encode large values in slices, and calls keep their order', async () => {
  const manager = await sharedManager({ slots: 1 })
  await using session = await manager.createSession({
    checkpoint: 'manual',
    callbacks: { ask: (_: unknown, { suspend }: { suspend(): never }) => suspend() },
  })
  const set = async () => {
    const done = [session.set('x', large), session.set('x', 1), session.execute('len(x) if x != 1 else 1')]
    expect((await Promise.all(done))[2]).toMatchObject({ value: 1 })
    await session.set('x', large)
  }
  await set()
  expect((await session.execute('len(x), x[-1]')).value).toEqual([COUNT, large.at(-1)])
  const resume = async () => {
    const { pending } = await session.execute('len(await ask())')
    const { value } = await session.resume({ results: { [pending[0]?.id ?? '']: large } })
    expect(value).toBe(COUNT)
  }
  await resume()
}, 60_000)

test('a large value with an unsupported part changes nothing, and close aborts an encoding in progress', async () => {
  const manager = await sharedManager({ slots: 1 })
  const session = await manager.createSession()
  await session.set('x', 1)
  const bad = [...large, () => {}] as unknown as string[]
  await rejectionOf(ConversionError, session.set('x', bad))
  expect(await session.get('x')).toBe(1)
  const setting = rejectionOf(SessionClosedError, session.set('x', large))
  await session.close()
  await setting
})
