// Seals a slot's thread against JavaScript that should never have got there: no way to evaluate text, no globals except those that our own
// code uses, intrinsics frozen. This is defence in depth: the first wall is that Python reaches only numbers, and each wall is tested as if
// the one before it had fallen. Owns nothing.

/** The language's own names, and the globals that a slot's own code, Comlink and Piscina's worker use after boot. */
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

/** Ordinary code assigns these properties on instances, which would throw if the prototype had a frozen data property of that name. */
const OVERRIDDEN_NAMES = ['name', 'message', 'toString', 'valueOf', 'constructor'] as const

/** Call once, after the interpreter has booted: the global WebAssembly is gone afterwards. */
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

/** The constructors of all four kinds of functions compile text, and each is reachable from any function of its kind. */
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

/** Roots of the walk: the language's own objects, including those without a global name. */
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
 * Does what `Object.freeze` does, property by property. `Object.freeze` makes V8 mark the object's elements as read-only. With such an
 * object in the prototype chain of typed arrays, stores into them are ten times slower on Node 20.
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
