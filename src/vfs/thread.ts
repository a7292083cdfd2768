// The main thread's handle of a storage's thread, which is started when it is first needed and keeps the process alive only while a call is
// pending. Owns the thread, its messages and the table of pending calls (S2).

import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import { packageFile } from '../install/files.js'
import { StorageError } from '../shared/errors.js'
import type {
  Change,
  StorageAnswer,
  StorageBoot,
  StorageCalls,
  StorageKind,
  StorageMessage,
} from '../shared/messages/storage.js'
import type { MountWire } from '../shared/messages/storage-door.js'
import { isRangeError } from '../shared/realms.js'
import { messageOf } from '../shared/thrown.js'
import { textOf } from './paths.js'

const MiB = 1024 * 1024
/** Size of a door: its head, and the data of one request. */
const DOOR_BYTES = 1024 + MiB
/**
 * Size of the memory that a storage's thread shares with its sessions: at most `MOST_SHARED_BYTES` for large files, plus what sessions have
 * reserved. This is address space: only what is written takes memory. Data that does not fit goes through the doors.
 */
const MOST_SHARED_BYTES = 1024 * MiB
const RESERVE_BYTES = 64 * MiB
/** The bell, and the state of a door at which a slot waits; see src/shared/messages/storage-door.ts. */
const BELL_BYTES = 64
const RINGS = 0
const CLOSED = 1
const STATE = 0
/** A thread that does not exit within this time, because the host's disk does not respond, is terminated. */
const CLOSE_MS = 2000

type Life =
  | { readonly kind: 'new' }
  | { readonly kind: 'running'; readonly worker: Worker; readonly port: MessagePort }
  | { readonly kind: 'closed' }

interface Pending extends Asked {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

/** The facts about a call that its error contains. */
interface Asked {
  readonly path: string
  readonly syscall: string
  /** Destination of a rename. */
  readonly dest: string | undefined
}

/** System calls that correspond to the methods, as Node's errors name them. */
const SYSCALLS: Readonly<Partial<Record<keyof StorageCalls, string>>> = {
  readFile: 'open',
  writeFile: 'open',
  list: 'scandir',
  remove: 'rm',
  readAt: 'read',
  writeAt: 'write',
  setStatus: 'chmod',
}

function askedOf(name: keyof StorageCalls, [first, second]: readonly unknown[]): Asked {
  return {
    path: typeof first === 'string' ? textOf(first) : '/',
    syscall: SYSCALLS[name] ?? name,
    dest: name === 'rename' && typeof second === 'string' ? textOf(second) : undefined,
  }
}

/** The main thread's view of a session's door. */
interface Door {
  readonly control: Int32Array
  readonly bell: Int32Array
}

/** The connection of one session to the data. */
export interface Connection {
  readonly wire: Omit<MountWire, 'path'>
  /** Makes the storage drop the session's open files and locks. Idempotent. */
  close(): void
}

export type ChangeListener = (changes: readonly Change[], lost: boolean) => void

export class StorageThread {
  readonly #kind: StorageKind
  readonly #arena: SharedArrayBuffer | undefined
  readonly #bell = new Int32Array(new SharedArrayBuffer(BELL_BYTES))
  readonly #pending = new Map<number, Pending>()
  readonly #listeners = new Set<ChangeListener>()
  readonly #doors = new Set<Door>()
  #life: Life = { kind: 'new' }
  #lastId = 0
  #lastReason = 'the storage is closed'

  constructor(kind: StorageKind) {
    this.#kind = kind
    this.#arena = kind.kind === 'memory' ? sharedMemory(kind.maxBytes) : undefined
  }

  get isClosed(): boolean {
    return this.#life.kind === 'closed'
  }

  /** Rejects with StorageError. */
  call<Name extends keyof StorageCalls>(
    name: Name,
    ...parameters: Parameters<StorageCalls[Name]>
  ): Promise<ReturnType<StorageCalls[Name]>> {
    return new Promise((resolve, reject) => {
      const asked = askedOf(name, parameters)
      const life = this.#start()
      if (life.kind !== 'running')
        return reject(
          new StorageError('EBADF', asked.path, this.#lastReason, {
            syscall: asked.syscall,
            dest: asked.dest,
          }),
        )
      const id = ++this.#lastId
      // Send before adding the call to the table: if the parameters cannot be sent, this throws, and nothing must stay pending.
      this.#send({ kind: 'call', id, name, parameters })
      this.#pending.set(id, { ...asked, resolve: resolve as (value: unknown) => void, reject })
      life.port.ref()
    })
  }

  connect(): Connection {
    this.#start()
    const id = ++this.#lastId
    const door = new SharedArrayBuffer(DOOR_BYTES)
    const bell = new SharedArrayBuffer(BELL_BYTES)
    const own: Door = { control: new Int32Array(door, 0, 16), bell: new Int32Array(bell) }
    if (this.isClosed) Atomics.store(own.bell, CLOSED, 1)
    else this.#doors.add(own)
    this.#send({ kind: 'attach', id, door, bell })
    const readOnly = this.#kind.kind === 'directory' && this.#kind.readOnly
    let open = true
    return {
      wire: { door, bell, arena: this.#arena ?? null, readOnly },
      close: () => {
        if (open) this.#send({ kind: 'detach', id })
        open = false
        this.#doors.delete(own)
      },
    }
  }

  listen(listener: ChangeListener): void {
    this.#start()
    this.#listeners.add(listener)
    if (this.#listeners.size === 1) this.#send({ kind: 'watch', on: true })
  }

  unlisten(listener: ChangeListener): void {
    if (this.#listeners.delete(listener) && this.#listeners.size === 0)
      this.#send({ kind: 'watch', on: false })
  }

  async close(reason?: string): Promise<void> {
    const life = this.#life
    if (life.kind === 'closed') return
    this.#life = { kind: 'closed' }
    if (reason !== undefined) this.#lastReason = reason
    for (const { control, bell } of this.#doors) {
      Atomics.store(bell, CLOSED, 1)
      // Wake a session that waits at this door.
      Atomics.notify(control, STATE)
    }
    for (const { path, syscall, dest, reject } of this.#pending.values())
      reject(new StorageError('EBADF', path, this.#lastReason, { syscall, dest }))
    this.#pending.clear()
    for (const listener of this.#listeners) listener([], false)
    this.#listeners.clear()
    if (life.kind === 'running') await this.#end(life)
  }

  /** Lets the thread exit by itself, so that no slot signals a thread that is being terminated. */
  async #end({ worker, port }: Extract<Life, { kind: 'running' }>): Promise<void> {
    if (worker.threadId < 0) return port.close()
    const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
    worker.ref()
    port.postMessage({ kind: 'close' } satisfies StorageMessage)
    this.#ring()
    const timer = setTimeout(() => void worker.terminate(), CLOSE_MS)
    await ended
    clearTimeout(timer)
    port.close()
  }

  #start(): Life {
    if (this.#life.kind !== 'new') return this.#life
    const { port1, port2 } = new MessageChannel()
    const bell = this.#bell.buffer as SharedArrayBuffer
    const boot: StorageBoot = { storage: this.#kind, bell, arena: this.#arena }
    const worker = new Worker(packageFile('storage'), {
      workerData: { ...boot, port: port2 },
      transferList: [port2],
      env: {},
      argv: [],
      execArgv: [],
    })
    worker.unref()
    worker.on('error', (error: unknown) => {
      void this.close(`its thread failed: ${messageOf(error, 'for an unknown reason')}`)
    })
    worker.on('exit', () => void this.close('its thread ended'))
    port1.on('message', (message: StorageAnswer) => this.#receive(message))
    port1.unref()
    this.#life = { kind: 'running', worker, port: port1 }
    return this.#life
  }

  #send(message: StorageMessage): void {
    if (this.#life.kind !== 'running') return
    this.#life.port.postMessage(message)
    this.#ring()
  }

  /**
   * Wakes the thread. With a single session, the thread sleeps at that session's bell instead of its own. With up to two, it may not know
   * yet that the second one connected or left, so ring their bells, too.
   */
  #ring(): void {
    ring(this.#bell)
    if (this.#doors.size <= 2) for (const { bell } of this.#doors) ring(bell)
  }

  #receive(message: StorageAnswer): void {
    if (message.kind === 'changes') {
      for (const listener of [...this.#listeners]) listener(message.changes, message.lost)
      return this.#send({ kind: 'heard' })
    }
    const pending = this.#pending.get(message.id)
    this.#pending.delete(message.id)
    if (this.#pending.size === 0 && this.#life.kind === 'running') this.#life.port.unref()
    if (message.kind === 'answer') return pending?.resolve(message.value)
    if (pending === undefined) return
    const { path, syscall, dest, reject } = pending
    reject(new StorageError(message.code, path, undefined, { syscall, dest }))
  }
}

function ring(bell: Int32Array): void {
  Atomics.add(bell, RINGS, 1)
  Atomics.notify(bell, RINGS)
}

/** Returns undefined if there is no address space for it. */
function sharedMemory(maxBytes: number): SharedArrayBuffer | undefined {
  const maxByteLength = Math.min(maxBytes, MOST_SHARED_BYTES) + RESERVE_BYTES
  try {
    return new SharedArrayBuffer(0, { maxByteLength })
  } catch (error) {
    if (isRangeError(error)) return undefined
    throw error
  }
}
