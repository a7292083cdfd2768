// Makes a slot's thread a poor place to be in for JavaScript that should never have got there, because each
// wall is tested as if the one before it had fallen: no way to evaluate text, no globals but what our own code uses,
// intrinsics frozen. Owns nothing. It is a second wall: the first is that Python reaches numbers only.

/** What a slot's own code, Comlink and Piscina's worker use after boot, beside the language's own names. */
const KEPT_GLOBALS = new Set([
  ...['globalThis', 'Buffer', 'TextDecoder', 'TextEncoder', 'performance', 'setTimeout', 'clearTimeout'],
  ...['queueMicrotask', 'MessageChannel', 'MessagePort'],
  ...['undefined', 'NaN', 'Infinity', 'parseFloat', 'parseInt', 'isFinite', 'isNaN'],
  ...[
    'Object',
    'Array',
    'Boolean',
    'String',
    'Number',
    'BigInt',
    'Symbol',
    'Date',
    'RegExp',
    'Math',
    'JSON',
    'Intl',
  ],
  ...['Map', 'Set', 'WeakMap', 'WeakSet', 'Promise', 'Proxy', 'Reflect', 'Atomics', 'SharedArrayBuffer'],
  ...['ArrayBuffer', 'DataView', 'Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array'],
  ...['Int32Array', 'Uint32Array', 'BigInt64Array', 'BigUint64Array', 'Float32Array', 'Float64Array'],
  ...[
    'Error',
    'AggregateError',
    'EvalError',
    'RangeError',
    'ReferenceError',
    'SyntaxError',
    'TypeError',
    'URIError',
  ],
])

/** Assigned to on instances by ordinary code; a frozen data property of the prototype would make that throw. */
const OVERRIDDEN_NAMES = ['name', 'message', 'toString', 'valueOf', 'constructor'] as const

/** Call once, when the interpreter has booted: WebAssembly itself is gone afterwards. */
export function seal(): void {
  forbidEvaluation()
  for (const name of Object.getOwnPropertyNames(globalThis)) {
    if (!KEPT_GLOBALS.has(name)) Reflect.deleteProperty(globalThis, name)
  }
  for (const type of [
    Object,
    Error,
    EvalError,
    RangeError,
    ReferenceError,
    SyntaxError,
    TypeError,
    URIError,
  ]) {
    for (const name of OVERRIDDEN_NAMES) allowOverride(type.prototype, name)
  }
  freezeReachable(intrinsics())
}

/** The constructors of all four kinds of functions compile text; each is reachable from any function of its kind. */
function forbidEvaluation(): void {
  const refuse = () => {
    throw new EvalError('code cannot be made from text in a slot')
  }
  for (const prototype of functionPrototypes()) {
    Object.defineProperty(prototype, 'constructor', { value: refuse, writable: false, configurable: false })
  }
}

function functionPrototypes(): object[] {
  const samples = [() => {}, async () => {}, function* () {}, async function* () {}]
  return samples.map((sample) => Object.getPrototypeOf(sample) as object)
}

/** Turns a data property into one that an instance can shadow by plain assignment. */
function allowOverride(prototype: object, name: string): void {
  const descriptor = Object.getOwnPropertyDescriptor(prototype, name)
  if (descriptor === undefined || !('value' in descriptor) || !descriptor.configurable) return
  const { value, enumerable = false } = descriptor
  Object.defineProperty(prototype, name, {
    enumerable,
    configurable: false,
    get: () => value,
    set(this: unknown, own: unknown) {
      if (this === prototype || typeof this !== 'object' || this === null)
        throw new TypeError(`${name} is frozen`)
      Object.defineProperty(this, name, { value: own, writable: true, enumerable: true, configurable: true })
    },
  })
}

/** Where the walk starts: the language's own objects, those without a global name included. */
function intrinsics(): unknown[] {
  const hidden = [
    ...functionPrototypes(),
    Object.getPrototypeOf(Uint8Array),
    Object.getPrototypeOf([][Symbol.iterator]()),
    Object.getPrototypeOf(new Map()[Symbol.iterator]()),
    Object.getPrototypeOf(new Set()[Symbol.iterator]()),
    Object.getPrototypeOf(''[Symbol.iterator]()),
    Object.getPrototypeOf(/x/[Symbol.matchAll]('')),
  ]
  const outside = new Set(['globalThis', 'Buffer', 'performance', 'MessageChannel', 'MessagePort'])
  const named = [...KEPT_GLOBALS].filter((name) => !outside.has(name))
  return [...hidden, ...named.map((name) => (globalThis as Record<string, unknown>)[name])]
}

function freezeReachable(roots: readonly unknown[]): void {
  const seen = new Set<object>([globalThis])
  const todo = [...roots]
  for (let value = todo.pop(); value !== undefined || todo.length > 0; value = todo.pop()) {
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null || seen.has(value))
      continue
    seen.add(value)
    for (const descriptor of Object.values(Object.getOwnPropertyDescriptors(value))) {
      todo.push(descriptor.value, descriptor.get, descriptor.set)
    }
    todo.push(Object.getPrototypeOf(value))
    freeze(value)
  }
}

/**
 * What `Object.freeze` does, property by property. V8 marks the elements of what it freezes at once as read-only, and on
 * Node 20 then stores into typed arrays ten times slower wherever it sees such an object in their chain of prototypes.
 */
function freeze(value: object): void {
  for (const key of Reflect.ownKeys(value)) {
    const descriptor = Reflect.getOwnPropertyDescriptor(value, key)
    if (descriptor === undefined) continue
    const locked = 'value' in descriptor ? { writable: false, configurable: false } : { configurable: false }
    Object.defineProperty(value, key, locked)
  }
  Object.preventExtensions(value)
}
