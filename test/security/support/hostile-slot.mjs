// A slot whose worker is owned (attacker level L3): speaks the protocol well enough to be leased, and sends main whatever the
// code it is told to execute names. What dist/workers/slot.bundle.cjs loads in a copy of the build.
import process from 'node:process'
import { MessageChannel, parentPort, threadId, workerData } from 'node:worker_threads'
import { ATTACKS } from './hostile-messages.mjs'

export async function serve(task) {
  const { port } = task
  let finish
  const finished = new Promise((resolve) => {
    finish = resolve
  })
  port.on('message', async (request) => {
    const { id, path, argumentList } = request
    // What is told without an answer.
    if (path === undefined) return
    const [method] = path
    if (method === 'snapshot') return refuse(port, id)
    const argument = argumentList[0]?.value
    const [name, detail] = method === 'execute' ? argument.code.split(' ') : []
    const attack = ATTACKS[name]
    if (attack === undefined) return answer(port, id, argument?.code)
    const executionId = argument.id
    await attack({
      port,
      task,
      id,
      executionId,
      request,
      finish,
      detail,
      parentPort,
      process,
      threadId,
      answer,
      outcome,
      workerData,
      MessageChannel,
    })
  })
  port.postMessage({ event: 'ready' })
  return finished
}

/** What an honest slot would say: that `n + 1` and `6 * 7` are 42. */
function answer(port, id, code) {
  port.postMessage({ id, type: 'RAW', value: outcome(code === undefined ? [true] : [true, '42', 42, {}]) })
}

/** It has no memory to capture. */
function refuse(port, id) {
  const value = { kind: 'refused', reason: 'not-captured', message: 'there is no interpreter' }
  port.postMessage({ id, type: 'RAW', value })
}

function outcome(items, changes = {}) {
  return {
    kind: 'outcome',
    payload: marshal(items),
    stdout: '',
    stderr: '',
    durationMs: 1,
    peakMemoryBytes: 1,
    memoryBytes: 1,
    fileBytes: 0,
    outputBytes: 0,
    takenBytes: 0,
    exceeded: null,
    ...changes,
  }
}

/** As much of marshal as that takes. */
function marshal(items) {
  const parts = [0x28, items.length, 0, 0, 0]
  for (const item of items) {
    if (item === true) parts.push(0x54)
    else if (typeof item === 'number') parts.push(0x69, item, 0, 0, 0)
    else if (typeof item === 'string') parts.push(0x75, item.length, 0, 0, 0, ...Buffer.from(item))
    else parts.push(0x7b, 0x30)
  }
  return Uint8Array.from(parts)
}
