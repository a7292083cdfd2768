// R3: host calls of an interpreter that was given up.
import { expect, test } from 'vitest'
import { Dispatcher } from '../../src/callbacks/dispatcher.js'
import { ArgumentWindow } from '../../src/callbacks/window.js'
import { MemoryAccount } from '../../src/memory/account.js'
import type { Session } from '../../src/session.js'
import { encodePlain } from '../../src/shared/values/encode.js'
import { Slices } from '../../src/shared/values/slices.js'
import { Observer } from '../../src/telemetry/observer.js'

/** Too many bytes to be decoded at once, and no host calls: whoever decodes it throws. */
const MESSAGE = encodePlain(['x'.repeat(20_000)], 'message')

test('messages that are not decoded yet are dropped with it, and those of the next one are not', async () => {
  const lane = new Slices().lane()
  const account = new MemoryAccount(null)
  const dispatcher = new Dispatcher(new Map(), {
    session: {} as Session,
    observer: new Observer(),
    facts: () => ({}),
    spanContext: () => undefined,
    limits: { callbackInvocations: null, callbackTimeoutMs: null },
    window: new ArgumentWindow(account),
    lane,
    onLate: () => {},
    onAnswer: () => {},
    onSuspended: () => {},
  })
  const dropped = Array.from({ length: 100 }, () => dispatcher.receive(MESSAGE))
  const reply = { sizeBytes: 20_000, advance: () => true }
  const heard = lane.run(reply)
  dispatcher.reset(new Error('it is lost'))
  expect(await heard).toBe('done')
  await Promise.all(dropped)
  expect([lane.isEmpty, account.usedBytes]).toEqual([true, 0])
})
