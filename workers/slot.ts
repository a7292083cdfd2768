// Entry of a slot's thread, loaded by Piscina: boots the interpreter from the shared image at once, seals the thread, and
// serves one caller over the port that comes with the task. Owns the wiring; what it wires is in slot/, host/ and
// interpreter/. Nothing of Pyodide's JavaScript is in this file's module graph (R2).
import { type MessagePort, workerData } from 'node:worker_threads'
import * as comlink from 'comlink/dist/esm/comlink.mjs'
import type { Image } from '../src/shared/image/image.js'
import type { RunReport, ServeTask, SlotMethods, SlotNotice, SlotReply } from '../src/shared/messages/slot.js'
import { Shield } from '../src/shared/threads/shield.js'
import { PagePool } from './host/fs/page-pool.js'
import { Host } from './host/host.js'
import { HostCalls } from './host/host-calls.js'
import { InterruptCell } from './host/interrupt.js'
import { readable } from './image-bytes.js'
import { Interpreter } from './interpreter/interpreter.js'
import { SlotBudget } from './memory/budget.js'
import { seal } from './seal.js'
import { Inbox } from './slot/inbox.js'
import { Output } from './slot/output.js'
import { SlotService } from './slot/service.js'

const image = readable(workerData as Image)
const interrupt = new InterruptCell()
const door = new HostCalls()
const memory = new SlotBudget()
const chunks = new PagePool(memory)
memory.onShort = () => chunks.drop()
let output: Output | undefined
const host = new Host({
  files: image.files,
  bytes: image.bytes,
  cwd: image.cwd,
  interrupt,
  memory,
  chunks,
  onOutput: (stream, from, start, end) => output?.write(stream, from, start, end),
  door,
  pulse: { onTick: () => output?.flushDue(), onSleep: () => output?.flush() },
})
const interpreter = Interpreter.boot(image, host)
seal()

/** Who hears requests: Comlink, once it listens. */
interface Requests {
  hear: (event: { readonly data: unknown }) => void
}

/** Serves until the worker is ended: the promise never settles, and Piscina keeps the task as the slot's life. */
export function serve(task: ServeTask): Promise<never> {
  const { port } = task
  interrupt.share(task.interrupt)
  door.share(task.calls)
  memory.share(task.memory)
  output = new Output((stream, text) =>
    port.postMessage({ event: 'output', id: service.executionId, stream, text }),
  )
  const requests: Requests = { hear: () => {} }
  const inbox = new Inbox(port, (message) => {
    if ('notice' in message) service.told(message as SlotNotice)
    else requests.hear({ data: message })
  })
  const service = new SlotService({
    image,
    host,
    interpreter,
    output,
    memory,
    shield: new Shield(task.interrupt),
    credit: door.credit,
    emit: (event, bytes) => port.postMessage(event, movable(bytes)),
    onAwait: () => inbox.linger('answer'),
  })
  comlink.expose(transferring(service), endpoint(port, inbox, requests))
  port.postMessage({ event: 'ready' })
  return new Promise(() => {})
}

/** Comlink's side: it hears what is no notice, and this thread waits for more once it has replied. */
function endpoint(port: MessagePort, inbox: Inbox, requests: Requests): comlink.Endpoint {
  return {
    postMessage: (message: unknown, transfer?: ArrayBuffer[]) => {
      port.postMessage(message, transfer)
      inbox.linger('request')
    },
    addEventListener: (_type: string, listener: unknown) => {
      requests.hear = listener as Requests['hear']
    },
    removeEventListener: () => {},
  }
}

/** The buffer to transfer, where that is sooner than a copy: from 16 KB on. */
function movable(bytes: Uint8Array): ArrayBuffer[] {
  return bytes.length >= 16_384 ? [bytes.buffer as ArrayBuffer] : []
}

function outputs({ stdout, stderr }: RunReport): ArrayBuffer[] {
  return [stdout, stderr].flatMap((text) => (typeof text === 'string' ? [] : movable(text)))
}

/**
 * The methods with their reply's bytes moved instead of copied if they are many. A snapshot's body is then the main thread's alone:
 * nothing that this thread does later changes it. Own names only: Comlink walks whatever it is asked.
 */
function transferring(service: SlotService): SlotMethods {
  const replying = async (reply: Promise<SlotReply>) => {
    const settled = await reply
    switch (settled.kind) {
      case 'outcome':
        return comlink.transfer(settled, [...movable(settled.payload), ...outputs(settled)])
      case 'suspended':
        return comlink.transfer(settled, outputs(settled))
      case 'captured':
        return comlink.transfer(settled, movable(settled.body))
      default:
        return settled
    }
  }
  return {
    attach: (request) => replying(service.attach(request)),
    execute: (request) => replying(service.execute(request)),
    resume: (request) => replying(service.resume(request)),
    setCallbacks: (callbacks) => replying(service.setCallbacks(callbacks)),
    get: (id, name) => replying(service.get(id, name)),
    set: (id, name, value) => replying(service.set(id, name, value)),
    clear: (id) => replying(service.clear(id)),
    interrupt: (id) => service.interrupt(id),
    snapshot: (id, request) => replying(service.snapshot(id, request)),
    restore: (request) => replying(service.restore(request)),
    revert: () => service.revert(),
    warm: (thoroughly) => service.warm(thoroughly),
  }
}
