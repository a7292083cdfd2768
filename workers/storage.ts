// Entry of a storage's thread, the only one that has the data: serves the host and the sessions' doors in turn, and sleeps until a bell
// rings. Owns that loop; storage/ executes requests. It never waits for another thread while it serves.
import { type MessagePort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import type {
  StorageAnswer,
  StorageBoot,
  StorageKind,
  StorageMessage,
} from '../src/shared/messages/storage.js'
import { BELL } from '../src/shared/messages/storage-door.js'
import { SpinPolicy } from '../src/shared/threads/spin-policy.js'
import { Files } from './host/fs/files.js'
import { hostTasks } from './host/fs/host-calls.js'
import type { NodeId, NodeStore } from './host/fs/node-store.js'
import { PrivateNodes } from './host/fs/private-nodes.js'
import { Quota } from './host/fs/quota.js'
import { Tree } from './host/fs/tree.js'
import { NO_IMAGE } from './image-bytes.js'
import { Arena } from './storage/arena.js'
import { ChangingNodes } from './storage/changes.js'
import { Clients } from './storage/clients.js'
import { DirectoryNodes } from './storage/directory-nodes.js'
import { HostParty } from './storage/host-party.js'
import { Locks } from './storage/locks.js'
import { Sleeper } from './storage/sleeper.js'
import { type Party, Turns } from './storage/turns.js'

/** Longest spin for the next request. It allows for a slot that copies a mebibyte itself and sends no request meanwhile. */
const SPIN_MS = 0.3
/** As in host/mounts/door.ts. */
const LONGEST_REST_MS = 4
/** Idle time after which removed bytes are zeroed. */
const SCRUB_DELAY_MS = 20
/** Idle time after which descriptors of the host that were kept for the next request are closed. */
const KEEP_MS = 1000
/** Interval of a timer that keeps the thread alive, because waiting for bells does not. */
const FOREVER_MS = 2 ** 31 - 1

const { storage, bell, arena: memory, port } = workerData as StorageBoot & { readonly port: MessagePort }
const hostBell = new Int32Array(bell)
const arena = memory && new Arena(memory)
const store = open(storage)
const directory = store instanceof DirectoryNodes ? store : undefined
const nodes: ChangingNodes = new ChangingNodes(store, (node) => clients.changed(node))
const files = new Files(new Tree(nodes, true), '/')
files.umask = 0
const clients: Clients = new Clients({
  files,
  locks: new Locks(),
  shared:
    arena && store instanceof PrivateNodes
      ? { arena, nodes: store, changed: (node: NodeId) => nodes.changed(node) }
      : undefined,
  directory,
})
const sleeper = new Sleeper(hostBell)
const host = new HostParty({
  tasks: hostTasks(files, directory),
  takePosted: () => clients.takePosted(),
  watch,
  send,
  atOnce,
})
/** The host has not acknowledged the last changes yet. Until then, further ones are collected, as far as there is room. */
let isTelling = false
let isClosed = false

void serve()

function open(kind: StorageKind): NodeStore {
  if (kind.kind === 'directory') return new DirectoryNodes(kind.hostPath, kind.readOnly)
  const quota = new Quota()
  quota.maxBytes = kind.maxBytes
  return new PrivateNodes(NO_IMAGE, quota, arena)
}

async function serve(): Promise<void> {
  const alive = setInterval(() => {}, FOREVER_MS)
  const spinPolicy = new SpinPolicy(SPIN_MS, LONGEST_REST_MS)
  const turns = new Turns()
  let parties: readonly Party[] = []
  let seen = 0
  const hasWork = () => Atomics.load(hostBell, BELL.RINGS) !== seen || clients.hasWork
  for (;;) {
    seen = Atomics.load(hostBell, BELL.RINGS)
    // Handle messages first, so that sessions are attached and detached at once, even if calls of the host are pending.
    for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port))
      receive(next.message as StorageMessage)
    if (isClosed) break
    // The host comes first: a call that it made before it asked a session to run must take effect before that session's requests.
    if (parties.length !== clients.all.length + 1 || parties.at(-1) !== clients.all.at(-1))
      parties = [host, ...clients.all]
    const isBusy = turns.serve(parties)
    clients.takePosted()
    tell()
    if (isBusy || spinPolicy.spinUntil(hasWork)) continue
    const sleep = sleeper.sleep(
      clients.all.map((client) => client.bell),
      hasWork,
      restMs(),
    )
    if (sleep === true || (sleep !== false && (await sleep))) continue
    if (directory) directory.closeKept()
    // Zero freed extents while idle. Stop when there is work: a write can reuse extents that are not zeroed.
    while (arena?.scrub()) if (hasWork()) break
  }
  clearInterval(alive)
  sleeper.leaveAll()
  port.close()
}

/** Longest sleep before there is something to clean up. */
function restMs(): number {
  if (arena?.isClean === false) return SCRUB_DELAY_MS
  return directory?.hasKept ? KEEP_MS : Number.POSITIVE_INFINITY
}

function receive(message: StorageMessage): void {
  switch (message.kind) {
    case 'attach':
      return clients.attach(message.id, message.door, message.bell)
    case 'detach': {
      const left = clients.drop(message.id)
      if (left) sleeper.leave(left)
      return
    }
    case 'watch':
    case 'call':
      return host.add(message)
    case 'heard':
      isTelling = false
      return
    case 'close':
      isClosed = true
  }
}

function watch(on: boolean): void {
  clients.watch(on)
  nodes.watch(on)
}

/** Runs one step of a host call as one moment: directories that it has found are not looked up again within it. */
function atOnce<T>(step: () => T): T {
  directory?.begin()
  try {
    return step()
  } finally {
    directory?.end()
  }
}

/** Sends the collected changes. All changes of one call are sent together. */
function tell(): void {
  if (isTelling || host.isUnderWay) return
  const changes = nodes.take()
  if (changes === undefined) return
  isTelling = true
  send({ kind: 'changes', ...changes })
}

function send(message: StorageAnswer, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer)
}
