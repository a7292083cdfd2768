// How an execution waits in the slot's thread. The kernel and the host are stubs.
import { expect, test } from 'vitest'
import type { Credit } from '../../workers/host/credit.js'
import type { Host } from '../../workers/host/host.js'
import type { Interpreter } from '../../workers/interpreter/interpreter.js'
import type { KernelReply } from '../../workers/interpreter/link.js'
import { Runs } from '../../workers/slot/run.js'

const ID = 7
/** An execution that waits for an answer, with no new calls. */
const WAITING: KernelReply = { kind: 'waiting', delayMs: Number.POSITIVE_INFINITY, calls: new Uint8Array(5) }

function start(): Runs {
  const listener = { onWait: () => {}, onAwait: () => {}, onCalls: () => {} }
  return new Runs({} as Host, {} as Interpreter, {} as Credit, listener)
}

test('a request to suspend that arrives before the execution starts takes effect once it waits', async () => {
  const runs = start()
  runs.suspend(ID, 0)
  expect(await runs.run(ID, () => WAITING)).toEqual({ kind: 'suspended' })
})

test('a request to suspend another execution, or one that has sent fewer batches of calls, has no effect', () => {
  const runs = start()
  for (const [id, batches] of [
    [ID - 1, 0],
    [ID, 1],
  ] as const) {
    runs.suspend(id, batches)
    void runs.run(ID, () => WAITING)
    expect(runs.isWaiting).toBe(true)
    runs.suspend(ID, 0)
  }
})
