// A slot with a compromised worker (attacker level L3): follows the protocol well enough to be leased, and runs the attack named by the
// code it is asked to execute. Owns the honest part of the conversation.
import process from 'node:process'
import { pathToFileURL } from 'node:url'
import { MessageChannel, parentPort, threadId, workerData } from 'node:worker_threads'
import { dict, int, NONE, own, TRUE, text, tuple } from './wire.mjs'

/** @param files - paths of the attacks' files, by id */
export async function serve(task, files) {
  let finish
  const finished = new Promise((resolve) => {
    finish = resolve
  })
  // Like a real slot after a renewal: the next lease has its own ports.
  task.next.on('message', (wire) => listen({ ...wire, next: task.next }, files, finish))
  listen(task, files, finish)
  return finished
}

function listen(task, files, finish) {
  const { port } = task
  port.on('message', async (request) => {
    const { id, path, argumentList } = request
    // A message that expects no answer.
    if (path === undefined) return
    const [method] = path
    if (method === 'snapshot') return refuse(port, id)
    const argument = argumentList[0]?.value
    const [name, detail] = method === 'execute' ? argument.code.trim().split(' ') : []
    if (name === 'whose') return answer(port, id, globalThis.secret ?? 'nothing')
    if (!Object.hasOwn(files, name ?? '')) return answer(port, id, argument?.code)
    const { default: attack } = await import(pathToFileURL(files[name]).href)
    const executionId = argument.id
    await attack({
      ...{ port, task, id, executionId, request, finish, detail, outcome },
      ...{ parentPort, process, threadId, workerData, MessageChannel },
    })
  })
  port.postMessage({ event: 'ready' })
}

/**
 * Answers like a real slot. Every expression is 42, except those that suite.mjs asks for: a compromised worker has no state, so it
 * returns whatever is expected.
 */
function answer(port, id, code) {
  port.postMessage({ id, type: 'RAW', value: outcome(code === undefined ? [true] : [true, code, 42, {}]) })
}

/** Refuses a snapshot, because there is no memory to capture. */
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

/** As much of marshal as these answers need. */
function marshal(items) {
  const encode = (item) => {
    if (item === true) return TRUE
    if (typeof item === 'number') return int(item)
    return typeof item === 'string' ? text(item) : item === null ? NONE : dict({})
  }
  return own(tuple(...items.map(encode)))
}
