// Runs in a slot's thread before and around its real code: plants the canary, watches functions with spies.cjs, and lets an attack of
// level L2 in. Python requests an attack by opening a file; it then runs inside that import, on the slot's own stack, as if the import had
// a vulnerability. Makes no judgement: it writes what happened to a journal, one JSON object per line.
'use strict'
const { appendFileSync } = require('node:fs')
const { pathToFileURL } = require('node:url')
const { workerData, threadId } = require('node:worker_threads')
const spies = require('./spies.cjs')
const { journal, canary, attacks } = require('./slot-watch.json')

const DOOR = '/tmp/.attack/'
let armed = false
/** True while a note is written, because the function that writes it is watched too. */
let noting = false
function note(entry) {
  noting = true
  appendFileSync(journal, `${JSON.stringify({ threadId, ...entry })}\n`)
  noting = false
}

globalThis.canary = canary
const modules = new Map()
// Import the attacks before the thread is sealed, so that they do not depend on what the seal leaves of `import`.
const loading = Promise.all(
  Object.entries(attacks).map(async ([id, path]) => modules.set(id, await import(pathToFileURL(path).href))),
)

const { Instance } = WebAssembly
const context = { workerData, require, attempt }
WebAssembly.Instance = class extends Instance {
  constructor(module, imports) {
    const env = imports?.env
    if (env && '__syscall_openat' in env && Object.keys(attacks).length > 0) letIn(env)
    super(module, imports)
    if (env && '__syscall_openat' in env) Object.assign(context, { instance: this, imports })
  }
}

/** Python's `open('/tmp/.attack/<id>')` runs that attack. */
function letIn(env) {
  const openat = env.__syscall_openat
  env.__syscall_openat = (directory, path, flags, rest) => {
    const name = textAt(path)
    if (armed && name.startsWith(DOOR)) run(name.slice(DOOR.length))
    return openat(directory, path, flags, rest)
  }
}

function textAt(pointer) {
  const { memory } = context.instance.exports
  const bytes = new Uint8Array(memory.buffer, pointer, Math.min(200, memory.buffer.byteLength - pointer))
  const end = bytes.indexOf(0)
  return String.fromCharCode(...bytes.slice(0, end < 0 ? bytes.length : end))
}

function run(id) {
  const { attempts, attack } = modules.get(id)
  if (attack) return attack({ ...context, canary })
  const pending = Object.entries(attempts).map(([name, body]) => attempt(id, name, body))
  Promise.all(pending).then(() => note({ done: id }))
}

async function attempt(id, name, body) {
  try {
    const value = await body({ ...context, canary })
    note({ id, name, reached: typeof value === 'object' ? 'an object' : String(value).slice(0, 200) })
  } catch (error) {
    note({ id, name, refused: `${error?.name}`, message: `${error?.message}`.slice(0, 200) })
  }
}

spies.install((name, argument) => {
  if (armed && !noting) note({ called: name, argument })
})

/** Called with the exports of the slot's real code. */
exports.watch = (slot) => {
  try {
    globalThis.canary = canary
  } catch {
    // A thread that accepts no new globals has no canary to reveal.
  }
  const { serve } = slot
  slot.serve = async (task) => {
    await loading
    Object.assign(context, { task })
    // Each lease has its own ports; an attacker would hold those of the current one.
    task.next.on('message', (wire) => Object.assign(context, { task: { ...wire, next: task.next } }))
    // Booting is over: from here on, nothing in this thread needs to open a file.
    armed = true
    return serve(task)
  }
}
