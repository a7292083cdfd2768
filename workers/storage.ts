// Entry of a storage's thread, which alone has the data: serves the host and the sessions' doors in turn, and sleeps until a bell
// rings. Owns that loop; what a request does is storage/'s. It never waits for anybody while it serves.
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

/** Longest that it stays awake for the next request: a slot that copies a mebibyte itself asks for nothing meanwhile. */
const SPIN_MS = 0.3
/** As in host/mounts/door.ts. */
const LONGEST_REST_MS = 4
/** How long nobody has asked for anything when bytes that were removed are zeroed. */
const SCRUB_DELAY_MS = 20
/** How long nobody has asked for anything when descriptors of the host are closed that are only kept for the next request. */
const KEEP_MS = 1000
/** Nothing but bells wakes the thread, and those do not keep it alive. */
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
/** Changes were sent that the host has not heard yet: until then they are kept, as far as there is room. */
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
    // A session that has come is served from now on, and one that is gone is not, whatever else the host waits for.
    for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port))
      receive(next.message as StorageMessage)
    if (isClosed) break
    // The host first: what it said before a session was asked to do something comes before what that session then does.
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
    // The next write wants what the last one has freed, whatever bytes are in it.
    while (arena?.scrub()) if (hasWork()) break
  }
  clearInterval(alive)
  sleeper.leaveAll()
  port.close()
}

/** How long it sleeps until there is something to tidy. */
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

/** One step of the host's, all of it one moment of the files. */
function atOnce<T>(step: () => T): T {
  directory?.begin()
  try {
    return step()
  } finally {
    directory?.end()
  }
}

/** What one call changes is told as one. */
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
