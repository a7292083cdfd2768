// A slot whose worker is owned (attacker level L3): speaks the protocol well enough to be leased, and runs whatever attack the code that
// it is told to execute names. Owns the honest half of its conversation.
import process from 'node:process'
import { pathToFileURL } from 'node:url'
import { MessageChannel, parentPort, threadId, workerData } from 'node:worker_threads'
import { dict, int, NONE, own, TRUE, text, tuple } from './wire.mjs'

/** `files` has an attack's file by its id. */
export async function serve(task, files) {
  let finish
  const finished = new Promise((resolve) => {
    finish = resolve
  })
  // As an honest slot that is renewed: the next lease has ports of its own.
  task.next.on('message', (wire) => listen({ ...wire, next: task.next }, files, finish))
  listen(task, files, finish)
  return finished
}

function listen(task, files, finish) {
  const { port } = task
  port.on('message', async (request) => {
    const { id, path, argumentList } = request
    // What is told without an answer.
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
 * What an honest slot would say: that every expression but those that suite.mjs asks for is 42. A worker that is owned has no state, so
 * it says whatever it is asked for.
 */
function answer(port, id, code) {
  port.postMessage({ id, type: 'RAW', value: outcome(code === undefined ? [true] : [true, code, 42, {}]) })
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
  const encode = (item) => {
    if (item === true) return TRUE
    if (typeof item === 'number') return int(item)
    return typeof item === 'string' ? text(item) : item === null ? NONE : dict({})
  }
  return own(tuple(...items.map(encode)))
}
