// Slots that fail to boot: callers that wait for one get a typed error in time, and the main thread neither crashes nor starts
// threads forever.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { scaled } from '../support/slowness.mjs'
import { Child } from './support/child.js'
import { expectUnharmed } from './support/contained.js'
import { HostileBuild } from './support/hostile-build.js'

interface BootFailure {
  readonly code?: string
}

const SERVE = 'exports.serve = function serve(task)'
const READY = "task.port.postMessage({ event: 'ready' })"

let build: HostileBuild
let main: Child<object, BootFailure>

beforeAll(() => {
  build = new HostileBuild()
  build.setConstant('src/session/take-over.js', 'ATTACH_MS', 300)
  build.setConstant('src/slots/slot.js', 'BOOT_MS', scaled(250))
  main = new Child('boot', { dist: build.dist })
})

afterAll(async () => {
  await main?.close()
  build?.remove()
})

describe('a slot that fails', () => {
  it.each([
    ['throws when loaded', 'throw new Error("at load")'],
    ['throws null when loaded', 'throw null'],
    ['throws an object without a prototype when loaded', 'throw Object.create(null)'],
    ['exits when loaded', 'process.exit(0)'],
    ['rejects beside loading', `Promise.reject(null); ${SERVE} { return new Promise(() => {}) }`],
    ['serves nothing', 'exports.other = 1'],
    ['throws when it is to serve', `${SERVE} { throw null }`],
    ['stops at once', `${SERVE} {}`],
    ['exits when it is to serve', `${SERVE} { process.exit(1) }`],
    ['breaks the protocol first', `${SERVE} { task.port.postMessage(null); return new Promise(() => {}) }`],
    ['closes its channel', `${SERVE} { task.port.close(); return new Promise(() => {}) }`],
    ['is ready and gone', `${SERVE} { ${READY}; process.exit(0) }`],
    ['never says it is ready', `${SERVE} { return new Promise(() => {}) }`],
    ['never gets so far', 'for (;;);'],
    ['is ready and deaf', `${SERVE} { ${READY}; return new Promise(() => {}) }`],
  ])('D25: when it %s, the caller gets a typed error', async (_, slot) => {
    build.writeSlot(slot)
    const result = await main.run({}, 40_000)
    if (result.kind !== 'done') throw new Error(`main ${result.kind}: ${JSON.stringify(result)}`)
    expectUnharmed(result.state)
    expect(['INTERPRETER_CRASHED', 'POOL_EXHAUSTED']).toContain(result.output.code)
  })
})
