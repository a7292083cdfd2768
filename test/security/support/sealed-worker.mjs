// JavaScript that has got into a slot's thread (attacker level L2): seals the thread as a slot does, makes one attempt after another, and
// reports the result of each. It takes what it needs for that before sealing.
import { parentPort, workerData } from 'node:worker_threads'

const post = parentPort.postMessage.bind(parentPort)
const { seal } = await import(workerData.seal)
const before = Object.getOwnPropertyNames(globalThis)
const startedMs = performance.now()
seal()
const sealMs = performance.now() - startedMs
const globals = Object.getOwnPropertyNames(globalThis).sort()

const results = {}
async function attempt(name, attack) {
  try {
    const value = await attack()
    results[name] = { reached: typeof value === 'object' ? 'object' : typeof value, value: shown(value) }
  } catch (error) {
    results[name] = { refused: `${error?.name}` }
  }
}
const shown = (value) => (['string', 'number', 'boolean'].includes(typeof value) ? value : undefined)

// Creating code from text.
await attempt('eval', () => globalThis['ev' + 'al']('1'))
await attempt('Function', () => Function('return 1')())
await attempt('constructor of a function', () => (() => {}).constructor('return 1')())
await attempt('constructor of an async function', () => (async () => {}).constructor('return 1')())
await attempt('constructor of a generator', () => function* () {}.constructor('return 1')())
await attempt('constructor of an async generator', () => async function* () {}.constructor('return 1')())
await attempt('constructor of a class', () => class {}.constructor('return 1')())
await attempt('constructor of a bound function', () => (() => {}).bind().constructor('return 1')())
await attempt('constructor of a proxy', () => new Proxy(() => {}, {}).constructor('return 1')())
await attempt('constructor of Node’s function', () => setTimeout.constructor('return 1')())
await attempt('constructor of Buffer', () => Buffer.constructor('return 1')())
await attempt('constructor of a port', () => MessagePort.constructor('return 1')())
await attempt('constructor of performance', () => performance.constructor.constructor('return 1')())
await attempt('constructor by Reflect', () => Reflect.construct((() => {}).constructor, ['return 1'])())
await attempt('constructor by a subclass', () =>
  new (class extends Object.getPrototypeOf(() => {}).constructor {})('return 1')(),
)
await attempt('a text as timer', () => setTimeout('1', 0))
await attempt('error of Node’s', async () => {
  try {
    await import('nowhere:at-all')
  } catch (error) {
    return error.constructor.constructor('return 1')()
  }
})
await attempt('error of a helper’s', () => {
  try {
    Buffer.from(Symbol('x'))
  } catch (error) {
    return error.constructor.constructor('return 1')()
  }
})
await attempt('error of an exhausted stack', () => {
  const dive = () => dive()
  try {
    dive()
  } catch (error) {
    return error.constructor.constructor('return 1')()
  }
})
await attempt('restored constructor', () => {
  Object.defineProperty(
    Object.getPrototypeOf(() => {}),
    'constructor',
    { value: 1 },
  )
})

// Globals that could do harm.
for (const name of [
  ...[
    'process',
    'require',
    'module',
    'fetch',
    'WebAssembly',
    'XMLHttpRequest',
    'WebSocket',
    'EventSource',
    'navigator',
  ],
  ...[
    'console',
    'crypto',
    'BroadcastChannel',
    'Worker',
    'setInterval',
    'setImmediate',
    'structuredClone',
    'Iterator',
  ],
  ...[
    'FinalizationRegistry',
    'WeakRef',
    'ShadowRealm',
    'queueMicrotask',
    'global',
    'localStorage',
    'Temporal',
    'gc',
  ],
]) {
  await attempt(`global ${name}`, () => {
    const value = globalThis[name]
    if (value === undefined) throw new ReferenceError(name)
    return value
  })
}

// Intrinsics that the slot's own code relies on.
const poison = (target, name) => {
  const own = target[name]
  target[name] = 'poisoned'
  const poisoned = target[name] === 'poisoned'
  if (poisoned) target[name] = own
  else throw new TypeError('unchanged')
  return poisoned
}
for (const [name, target, key] of [
  ['Object.prototype', Object.prototype, 'polluted'],
  ['Object.prototype.toString', Object.prototype, 'toString'],
  ['Array.prototype.push', Array.prototype, 'push'],
  ['Array.prototype[0]', Array.prototype, '0'],
  ['Function.prototype.call', Object.getPrototypeOf(() => {}), 'call'],
  ['Promise.prototype.then', Promise.prototype, 'then'],
  ['Map.prototype.get', Map.prototype, 'get'],
  ['Uint8Array.prototype.slice', Object.getPrototypeOf(Uint8Array.prototype), 'slice'],
  ['Uint8Array.prototype.constructor', Uint8Array.prototype, 'constructor'],
  ['Symbol.iterator of arrays', Array.prototype, Symbol.iterator],
  ['next of array iterators', Object.getPrototypeOf([][Symbol.iterator]()), 'next'],
  ['next of generators', Object.getPrototypeOf(Object.getPrototypeOf((function* () {})())), 'next'],
  ['String.prototype.slice', String.prototype, 'slice'],
  ['RegExp.prototype.exec', RegExp.prototype, 'exec'],
  ['Error.prepareStackTrace', Error, 'prepareStackTrace'],
  ['Error.stackTraceLimit', Error, 'stackTraceLimit'],
  ['Atomics.wait', Atomics, 'wait'],
  ['JSON.stringify', JSON, 'stringify'],
  ['Math.min', Math, 'min'],
  ['DataView.prototype.getUint8', DataView.prototype, 'getUint8'],
  ['TextDecoder.prototype.decode', TextDecoder.prototype, 'decode'],
  ['MessagePort.prototype.postMessage', MessagePort.prototype, 'postMessage'],
  ['Buffer.from', Buffer, 'from'],
  ['Buffer.prototype.toString', Buffer.prototype, 'toString'],
  ['performance.now', performance, 'now'],
  ['globalThis.setTimeout', globalThis, 'setTimeout'],
  ['globalThis.Uint8Array', globalThis, 'Uint8Array'],
]) {
  await attempt(`poison ${name}`, () => poison(target, key))
}
await attempt('define on Array.prototype', () => Object.defineProperty(Array.prototype, '1', { set() {} }))
await attempt('another prototype', () => Object.setPrototypeOf(Array.prototype, {}))
await attempt('a new global', () => {
  globalThis.added = true
  return globalThis.added
})

// Modules that code can still import.
for (const specifier of workerData.specifiers) {
  await attempt(`import ${specifier}`, async () => Object.keys(await import(specifier)).length)
}

// Ordinary code still works.
await attempt('ordinary errors', () => {
  class Mine extends Error {
    name = 'Mine'
  }
  const error = new Mine('x')
  error.message = 'y'
  return `${error}`
})
await attempt('ordinary objects', () => {
  const object = { toString: () => 'mine' }
  object.valueOf = () => 5
  object.constructor = 1
  return `${object}${object * 2}`
})

post({
  sealMs,
  globals,
  removed: before.filter((name) => !globals.includes(name)).length,
  results,
})
