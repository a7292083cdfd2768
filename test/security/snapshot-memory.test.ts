// N1, S1: slots cannot change a snapshot that they made or restored. Here every slot keeps a reference to each body that it sends or
// receives, and overwrites it whenever a message arrives (attacker level L2).
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Session, SessionManager } from 'brumate'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { DIST } from './support/child.js'
import { HostileBuild } from './support/hostile-build.js'

/** Appended to the honest slot's code. With `lies`, it also changes the hash of each snapshot that it sends. */
const SCRAWLING = (lies: boolean) => `{
const { MessagePort } = require('node:worker_threads')
const held = new Set()
const post = MessagePort.prototype.postMessage
MessagePort.prototype.postMessage = function (message, transfer) {
  const captured = message?.value?.kind === 'captured' ? message.value : undefined
  if (captured) held.add(captured.body)
  if (captured && ${lies}) captured.bodyHash[0] ^= 1
  post.call(this, message, transfer)
}
const serve = exports.serve
exports.serve = (task) => {
  task.port.on('message', ({ argumentList }) => {
    for (const bytes of held) if (bytes.length > 0) bytes.fill(0x66)
    const body = argumentList?.[0]?.value?.body
    if (body) held.add(body)
  })
  return serve(task)
}
}`

let build: HostileBuild
let brumate: typeof import('brumate')
let manager: SessionManager
const honest = readFileSync(fileURLToPath(new URL('workers/slot.bundle.cjs', DIST)), 'utf8')

beforeAll(async () => {
  build = new HostileBuild()
  brumate = await import(`${build.dist}src/index.js`)
})

afterAll(() => build?.remove())

async function open(slot: string): Promise<void> {
  build.writeSlot(slot)
  manager = await brumate.SessionManager.create({ cacheDir: inject('cacheDir'), slots: 4 })
}

/** Content of `x`, after the session's slot has received another message. */
async function content(session: Session): Promise<unknown> {
  await session.execute('0')
  return (await session.execute(`__import__('zlib').crc32(x)`)).value
}

describe('N1: a slot that overwrites all memory it ever shared', () => {
  beforeAll(() => open(honest + SCRAWLING(false)))
  afterAll(() => manager?.close())

  it.each([
    ['small', `x = b'small'`],
    ['of some blocks', 'import random\nx = random.randbytes(3_000_000)'],
  ])('does not change a snapshot, %s, that others restore', async (_, code) => {
    const maker = await manager.createSession({ tenant: 'maker' })
    await maker.execute(code)
    const snapshot = await maker.snapshotState()
    const bytes = snapshot.toBytes()
    const expected = await content(maker)
    for (const _ of ['from its maker', 'after another thawed it']) {
      const fork = await manager.createSession({ from: snapshot })
      expect(await content(fork)).toBe(expected)
      await fork.restoreState(snapshot)
      expect(await content(fork)).toBe(expected)
      await fork.close()
    }
    expect(Buffer.compare(snapshot.toBytes(), bytes)).toBe(0)
    await maker.close()
  })
})

describe('N2: a slot that lies about the hash of its snapshot', () => {
  beforeAll(() => open(honest + SCRAWLING(true)))
  afterAll(() => manager?.close())

  it('makes only its own snapshot corrupt', async () => {
    const liar = await manager.createSession({ checkpoint: 'manual' })
    await liar.execute('x = 1')
    const snapshot = await liar.snapshotState()
    const corrupt = expect.objectContaining({ code: 'SNAPSHOT', reason: 'corrupt' })
    await expect(manager.createSession({ from: snapshot })).rejects.toEqual(corrupt)
    await expect(liar.restoreState(snapshot)).rejects.toEqual(corrupt)
    await liar.hibernate()
    await expect(liar.execute('x')).rejects.toEqual(corrupt)
    const other = await manager.createSession()
    expect((await other.execute('6 * 7')).value).toBe(42)
  })
})

describe('R3: a slot that lies about which blocks it does not need to send', () => {
  const LYING = `{
const { MessagePort } = require('node:worker_threads')
const post = MessagePort.prototype.postMessage
MessagePort.prototype.postMessage = function (message, transfer) {
  const plan = message?.value?.kind === 'captured' ? message.value.plan : null
  if (plan?.some((block) => block !== 0xffffffff)) plan[0] = 1_000_000
  post.call(this, message, transfer)
}
}`
  beforeAll(() => open(honest + LYING))
  afterAll(() => manager?.close())

  it('is ended, and the session continues from its last snapshot', async () => {
    const liar = await manager.createSession({ checkpoint: 'manual' })
    await liar.execute('import random\nx = random.randbytes(3_000_000); n = 0')
    for (let i = 0; i < 2; i++) await liar.snapshotState()
    await liar.execute('n += 1')
    await expect(liar.snapshotState()).rejects.toMatchObject({
      code: 'INTERPRETER_CRASHED',
      reason: expect.stringContaining('its blocks do not form a valid snapshot'),
      outcome: 'restored',
    })
    expect((await liar.execute('n, len(x)')).value).toEqual([0, 3_000_000])
  })
})
