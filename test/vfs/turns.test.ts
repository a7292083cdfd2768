// R3: a client that asks a storage for much, or for something expensive, waits for it; clients that ask for little do not wait for it.
// Tested by the order of answers, not by a clock.
import { writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { MessageChannel, Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import type { StorageAnswer, StorageBoot, StorageMessage } from '../../src/shared/messages/storage.js'
import {
  BELL,
  BELL_BYTES,
  CONTROL,
  NUMBERS,
  NUMBERS_AT,
  OP,
  STATE,
  WINDOW_AT,
} from '../../src/shared/messages/storage-door.js'
import { errno } from '../../workers/host/errno.js'
import { Files } from '../../workers/host/fs/files.js'
import { hostTasks } from '../../workers/host/fs/host-calls.js'
import { Tree } from '../../workers/host/fs/tree.js'
import { Client } from '../../workers/storage/client.js'
import { Clients } from '../../workers/storage/clients.js'
import { DirectoryNodes } from '../../workers/storage/directory-nodes.js'
import { HostParty } from '../../workers/storage/host-party.js'
import { Locks } from '../../workers/storage/locks.js'
import type { Served } from '../../workers/storage/served.js'
import { type Party, Turns } from '../../workers/storage/turns.js'
import { MEMORY_FOLDER } from '../support/memory-folder.js'
import { temporaryDirectory } from './support/kinds.js'
import { TestSlot, TestStorage } from './support/slot.js'

/** A client whose requests always take the same time. */
class Asker implements Party {
  isWaiting = true
  dueMs = 0
  served = 0
  constructor(
    readonly costMs: number,
    readonly clock: { now: number },
  ) {}
  serve(): void {
    this.served += 1
    this.clock.now += this.costMs
  }
}

test('each client gets the same time, so a client with expensive requests is served more rarely', () => {
  const clock = { now: 0 }
  const turns = new Turns(() => clock.now)
  const dear = new Asker(50, clock)
  const cheap = [new Asker(0.5, clock), new Asker(0.5, clock), new Asker(2, clock)]
  const parties = [dear, ...cheap]
  while (clock.now < 10_000) turns.serve(parties)
  const times = parties.map(({ served, costMs }) => served * costMs)
  for (const time of times) expect(Math.abs(time - 2500)).toBeLessThanOrEqual(110)
  // A late client has no time saved up, and a client that was alone has no debt.
  const late = new Asker(1, clock)
  for (let i = 0; i < 20; i += 1) turns.serve([dear])
  const before = cheap[0]?.served ?? 0
  for (let i = 0; i < 100; i += 1) turns.serve([...parties, late])
  expect(Math.abs(late.served - ((cheap[0]?.served ?? 0) - before) / 2)).toBeLessThan(60)
  expect(turns.serve([])).toBe(false)
})

test('a client that is served alone is served at once, however much it has used', () => {
  const clock = { now: 0 }
  const turns = new Turns(() => clock.now)
  const [dear, idle] = [new Asker(1000, clock), new Asker(1, clock)]
  idle.isWaiting = false
  for (let i = 1; i < 10; i += 1) {
    turns.serve([dear, idle])
    expect(dear.served).toBe(i)
  }
})

class HostSlot {
  readonly client: Client
  readonly control: Int32Array
  readonly numbers: Float64Array
  readonly window: Buffer

  constructor(served: Served) {
    const door = new SharedArrayBuffer(WINDOW_AT + 2 ** 20)
    this.client = new Client(served, door, new SharedArrayBuffer(BELL_BYTES))
    this.control = new Int32Array(door, 0, NUMBERS_AT / 4)
    this.numbers = new Float64Array(door, NUMBERS_AT, NUMBERS)
    this.window = Buffer.from(door, WINDOW_AT)
  }

  ask(op: number, path: string, ...numbers: number[]): void {
    this.numbers.set(numbers)
    this.numbers[4] = this.window.write(path, 0, 'latin1')
    this.control[CONTROL.OP] = op
    this.control[CONTROL.CANCEL] = 0
    this.control[CONTROL.STATE] = STATE.REQUEST
  }

  get isAnswered(): boolean {
    return this.control[CONTROL.STATE] === STATE.ANSWER
  }

  get error(): number {
    return this.control[CONTROL.ERROR] ?? 0
  }
}

const FILES = 3400

async function largeDirectory() {
  const root = await temporaryDirectory(MEMORY_FOLDER)
  await mkdir(join(root, 'many'))
  for (let i = 0; i < FILES; i += 1) writeFileSync(join(root, 'many', `${i}`), '')
  const directory = new DirectoryNodes(root, false)
  const files = new Files(new Tree(directory, true), '/')
  const served: Served = {
    files,
    locks: new Locks(),
    takePosted: () => {},
    changes: undefined,
    shared: undefined,
    directory,
  }
  return { directory, files, served, many: directory.lookup(directory.root, 'many') }
}

test('R3: a large host directory is listed in steps, others are answered in between, and the listing can be cancelled', async () => {
  const { served, many, directory, files } = await largeDirectory()
  const [lister, other] = [new HostSlot(served), new HostSlot(served)]
  lister.ask(OP.nextCookie, '', many)
  let answered = 0
  while (!lister.isAnswered) {
    lister.client.serve()
    if (lister.isAnswered) break
    other.ask(OP.status, 'many', directory.root, 1)
    other.client.serve()
    expect([other.isAnswered, other.error]).toEqual([true, 0])
    answered += 1
  }
  expect([lister.error, lister.numbers[0]]).toEqual([0, FILES + 3])
  expect(answered).toBeGreaterThan(5)
  // The following request returns that listing.
  lister.ask(OP.list, '', many, 2)
  lister.client.serve()
  expect([lister.isAnswered, lister.numbers[0]]).toEqual([true, 3000])
  // An interrupt ends it at the next step, and so does the end of the session.
  for (const end of ['interrupt', 'leave'] as const) {
    lister.ask(OP.nextCookie, '', many)
    lister.client.serve()
    expect(lister.isAnswered).toBe(false)
    if (end === 'interrupt') lister.control[CONTROL.CANCEL] = 1
    else lister.client.leave()
    if (end === 'interrupt') lister.client.serve()
    expect([lister.isAnswered, lister.error]).toEqual(
      end === 'interrupt' ? [true, errno.EINTR] : [false, expect.anything()],
    )
    // The next client that reads the same directory does not wait for it.
    other.ask(OP.nextCookie, '', many)
    while (!other.isAnswered) other.client.serve()
    expect(other.error).toBe(0)
  }
  // A request interrupted before its turn is never started.
  other.ask(OP.mkdir, 'made', directory.root, 0o755)
  other.control[CONTROL.CANCEL] = 1
  other.client.serve()
  expect([other.error, directory.lookup(directory.root, 'made')]).toEqual([errno.EINTR, 0])
  expect(files.find(files.tree.root, 'many').node).toBe(many)
})

test('R3: the host’s list, count and remove calls also run in steps, and calls are answered in order', async () => {
  const { directory, files } = await largeDirectory()
  const answers: (readonly [id: number, value: unknown])[] = []
  const host = new HostParty({
    tasks: hostTasks(files, directory),
    takePosted: () => {},
    watch: () => {},
    atOnce: (step) => step(),
    send: (message) => {
      if (message.kind === 'answer') answers.push([message.id, message.value])
      else throw new Error(JSON.stringify(message))
    },
  })
  const calls = [
    ['list', '/many'],
    ['usedBytes'],
    ['stat', '/many', true],
    ['remove', '/many', true],
    ['list', '/'],
  ] as const
  const steps = calls.map(([name, ...parameters], id) => {
    host.add({ kind: 'call', id, name, parameters })
    let count = 0
    while (host.isWaiting) {
      host.serve()
      count += 1
    }
    return count
  })
  expect(steps.map((count) => count > 5)).toEqual([true, true, false, true, false])
  const [names, bytes] = answers.map(([, value]) => value)
  expect(names).toEqual(Array.from({ length: FILES }, (_, at) => `${at}`).sort())
  expect(bytes).toBe(0)
  expect(answers.map(([id]) => id)).toEqual([0, 1, 2, 3, 4])
  expect(answers.at(-1)?.[1]).toEqual([])
})

test('R3: a path through links that would take a hundred thousand steps fails with ELOOP', () => {
  const storage = new TestStorage(1)
  const slot = new TestSlot(storage)
  const { nodes } = storage
  // Each link leads back to where it started, after about 2,000 steps.
  for (let i = 0; i < 39; i += 1)
    nodes.create(nodes.root, `l${i}`, { kind: 'symlink', target: `${'d/../'.repeat(800)}l${i + 1}` })
  nodes.create(nodes.root, 'l39', { kind: 'directory', mode: 0o755 })
  nodes.create(nodes.root, 'd', { kind: 'directory', mode: 0o755 })
  const status = (path: string) => {
    slot.numbers[4] = slot.window.write(path, 0, 'latin1')
    return slot.call(OP.status, nodes.root, 1)
  }
  expect(status('l0')).toBe(errno.ELOOP)
  expect(status('l36')).toBe(0)
})

test('each session of a host directory may hold its share of descriptors, and cannot use up those of others', () => {
  const root = new DirectoryNodes('.', true)
  const clients = new Clients({
    files: new Files(new Tree(root, true), '/'),
    locks: new Locks(),
    shared: undefined,
    directory: root,
  })
  const slots = Array.from({ length: 16 }, (_, id) => {
    const door = new SharedArrayBuffer(WINDOW_AT + 4096)
    clients.attach(id, door, new SharedArrayBuffer(BELL_BYTES))
    const numbers = new Float64Array(door, NUMBERS_AT, NUMBERS)
    const control = new Int32Array(door, 0, NUMBERS_AT / 4)
    return { numbers, control }
  })
  const hold = (slot: (typeof slots)[number] | undefined) => {
    if (slot === undefined) return undefined
    slot.numbers[0] = root.root
    slot.control[CONTROL.OP] = OP.hold
    slot.control[CONTROL.STATE] = STATE.REQUEST
    for (const client of clients.all) client.serve()
    return slot.control[CONTROL.ERROR]
  }
  const errors = Array.from({ length: 257 }, () => hold(slots[0]))
  expect([errors.indexOf(errno.ENFILE), hold(slots[1])]).toEqual([256, 0])
  for (let id = 0; id < 16; id += 1) clients.drop(id)
})

test('E4: the storage sends no more changes until the host has acknowledged the last ones', async () => {
  const { port1, port2 } = new MessageChannel()
  const bell = new Int32Array(new SharedArrayBuffer(BELL_BYTES))
  const boot: StorageBoot = {
    storage: { kind: 'memory', maxBytes: 1000 },
    bell: bell.buffer,
    arena: undefined,
  }
  const worker = new Worker(new URL('../../dist/workers/storage.bundle.cjs', import.meta.url), {
    workerData: { ...boot, port: port2 },
    transferList: [port2],
  })
  const received: StorageAnswer[] = []
  const until = (condition: () => boolean) =>
    new Promise<void>((resolve) => {
      const look = () => condition() && resolve()
      port1.on('message', look)
      look()
    })
  port1.on('message', (message: StorageAnswer) => received.push(message))
  const send = (message: StorageMessage) => {
    port1.postMessage(message)
    Atomics.add(bell, BELL.RINGS, 1)
    Atomics.notify(bell, BELL.RINGS)
  }
  const told = () =>
    received.flatMap((message) => (message.kind === 'changes' ? [message.changes.length] : []))
  const mkdir = (id: number) => {
    send({ kind: 'call', id, name: 'mkdir', parameters: [`/${id}`, false] })
    return until(() => received.some((message) => message.kind === 'answer' && message.id === id))
  }
  send({ kind: 'watch', on: true })
  for (let id = 0; id < 6; id += 1) await mkdir(id)
  await until(() => told().length === 1)
  expect(told()).toEqual([1])
  send({ kind: 'heard' })
  await until(() => told().length === 2)
  expect(told()).toEqual([1, 5])
  send({ kind: 'close' })
  await new Promise((resolve) => worker.once('exit', resolve))
  port1.close()
})
