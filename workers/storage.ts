// Entry of a storage's thread, which alone has the data: serves the host's messages and the sessions' doors in turn, and sleeps
// until the bell rings. Owns that loop; what a request does is storage/'s. It never waits for anybody while it serves.
import { type MessagePort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import type { StorageAnswer, StorageBoot, StorageKind, StorageMessage } from '../src/vfs/protocol.js'
import { FsError } from './host/errno.js'
import { Files } from './host/fs/files.js'
import { type NodeId, type NodeStore, Outside } from './host/fs/node-store.js'
import { PrivateNodes } from './host/fs/private-nodes.js'
import { Quota } from './host/fs/quota.js'
import { Tree } from './host/fs/tree.js'
import { NO_IMAGE } from './image-bytes.js'
import { Patience } from './patience.js'
import { Arena } from './storage/arena.js'
import { ChangingNodes } from './storage/changes.js'
import { Clients } from './storage/clients.js'
import { DirectoryNodes } from './storage/directory-nodes.js'
import { hostCalls } from './storage/host-calls.js'
import { Locks } from './storage/locks.js'
import { BELL } from './storage/wire.js'

/** Longest that it stays awake for the next request: a slot that copies a mebibyte itself asks for nothing meanwhile. */
const PATIENCE_MS = 0.3
/** As in host/mounts/door.ts. */
const LONGEST_REST_MS = 4
/** How long nobody has asked for anything when bytes that were removed are zeroed. */
const SCRUB_DELAY_MS = 20

const { storage, bell, arena: memory, port } = workerData as StorageBoot & { readonly port: MessagePort }
const bells = new Int32Array(bell)
const arena = memory && new Arena(memory)
const store = open(storage)
const nodes = new ChangingNodes(store, () => Atomics.add(bells, BELL.CHANGES, 1))
const files = new Files(new Tree(nodes, true), '/')
files.umask = 0
const served = {
  files,
  locks: new Locks(),
  shared:
    arena && store instanceof PrivateNodes
      ? { arena, nodes: store, changed: (node: NodeId) => nodes.changed(node) }
      : undefined,
  // Beside the sessions, any program of the host changes its directories.
  changes: storage.kind === 'memory' ? changes : undefined,
}
const clients = new Clients(served, bells)
const calls = hostCalls(files) as unknown as Record<string, (...parameters: unknown[]) => unknown>

serve(bells)

/** Whoever posts something counts it afterwards: what is known to a number of changes holds all that is counted in it. */
function changes(): number {
  const count = Atomics.load(bells, BELL.CHANGES)
  return clients.hasPosted ? Number.NaN : count
}

function open(kind: StorageKind): NodeStore {
  if (kind.kind === 'directory') return new DirectoryNodes(kind.hostPath, kind.readOnly)
  const quota = new Quota()
  quota.maxBytes = kind.maxBytes
  return new PrivateNodes(NO_IMAGE, quota, arena)
}

function serve(rings: Int32Array): never {
  const patience = new Patience(PATIENCE_MS, LONGEST_REST_MS)
  for (;;) {
    const seen = Atomics.load(rings, BELL.RINGS)
    let busy = false
    // What the host said before a session was asked to do something comes before what that session then does.
    for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
      busy = true
      const message = next.message as StorageMessage
      // What a session posted before the host heard of it comes before what the host then asks.
      if (message.kind === 'call') clients.takePosted()
      receive(message)
    }
    busy = clients.serve() || busy
    clients.takePosted()
    const changes = nodes.take()
    if (changes) send({ kind: 'changes', ...changes })
    const hasWork = () => Atomics.load(rings, BELL.RINGS) !== seen || clients.hasPosted
    if (busy || patience.stay(hasWork)) continue
    // The next write wants what the last one has freed, whatever bytes are in it.
    const sleepMs = arena?.isClean === false ? SCRUB_DELAY_MS : Number.POSITIVE_INFINITY
    if (Atomics.wait(rings, BELL.RINGS, seen, sleepMs) !== 'timed-out') continue
    while (arena?.scrub()) if (Atomics.load(rings, BELL.RINGS) !== seen) break
  }
}

function receive(message: StorageMessage): void {
  switch (message.kind) {
    case 'attach':
      clients.attach(message.id, message.door)
      return
    case 'detach':
      return clients.drop(message.id)
    case 'watch':
      // Whoever posts something from now on rings.
      Atomics.store(bells, BELL.WATCHED, message.on ? 1 : 0)
      clients.takePosted()
      return nodes.watch(message.on)
    case 'call':
      return answer(message)
  }
}

function answer({ id, name, parameters }: Extract<StorageMessage, { kind: 'call' }>): void {
  try {
    const value = calls[name]?.(...parameters)
    send({ kind: 'answer', id, value }, value instanceof Uint8Array ? [value.buffer as ArrayBuffer] : [])
  } catch (error) {
    const code = error instanceof FsError ? error.message : error instanceof Outside ? 'EXDEV' : undefined
    const reason = code ?? (error instanceof RangeError ? 'ENOMEM' : undefined)
    if (reason === undefined) throw error
    send({ kind: 'failed', id, code: reason, path: String(parameters[0]) })
  }
}

function send(message: StorageAnswer, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer)
}
