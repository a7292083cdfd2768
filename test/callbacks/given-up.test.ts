// R3: host calls of an interpreter that was abandoned.
import { expect, test } from 'vitest'
import { Dispatcher } from '../../src/callbacks/dispatcher.js'
import { ArgumentWindow } from '../../src/callbacks/window.js'
import { MemoryAccount } from '../../src/memory/account.js'
import type { Session } from '../../src/session.js'
import { encodePlain } from '../../src/shared/values/encode.js'
import { Slices } from '../../src/shared/values/slices.js'
import { Observer } from '../../src/telemetry/observer.js'

/** Too long to be decoded in one slice, and not a valid list of host calls: decoding it would throw. */
const MESSAGE = encodePlain(['x'.repeat(20_000)], 'message')

test('a reset drops messages that are not decoded yet, and work queued after them still runs', async () => {
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
