// JavaScript that has got into a slot's thread (attacker level L2): it cannot turn text into code, it has few globals, and intrinsics
// are frozen. What such code can still do is tested as well, under "residual".
import { Worker } from 'node:worker_threads'
import { beforeAll, describe, expect, it } from 'vitest'
import { DIST } from './support/child.js'
import { namesReadInFunctions } from './support/module-graph.js'

const BUNDLE = new URL('workers/slot.bundle.cjs', DIST).href

interface Attempt {
  /** Type of the value that the attack obtained. */
  readonly reached?: string
  readonly value?: string | number | boolean
  /** Name of the error that stopped the attack. */
  readonly refused?: string
}

interface Report {
  readonly sealMs: number
  readonly globals: readonly string[]
  readonly removed: number
  readonly results: Readonly<Record<string, Attempt>>
}

/** All global names of a sealed thread, on every supported Node. If a new Node differs, look at the difference. */
const GLOBALS = `
  AggregateError Array ArrayBuffer Atomics BigInt BigInt64Array BigUint64Array Boolean Buffer DataView Date Error
  EvalError Float32Array Float64Array Infinity Int16Array Int32Array Int8Array Intl JSON Map Math MessageChannel
  MessagePort NaN Number Object Promise Proxy RangeError ReferenceError Reflect RegExp Set SharedArrayBuffer String
  Symbol SyntaxError TextDecoder TextEncoder TypeError URIError Uint16Array Uint32Array Uint8Array Uint8ClampedArray
  WeakMap WeakSet clearTimeout globalThis isFinite isNaN parseFloat parseInt performance queueMicrotask setTimeout
  undefined
`
  .trim()
  .split(/\s+/)

const SPECIFIERS = [
  'node:fs',
  'node:child_process',
  'node:worker_threads',
  'node:vm',
  'node:process',
  'data:text/javascript,0',
]

let report: Report

beforeAll(async () => {
  const worker = new Worker(new URL('support/sealed-worker.mjs', import.meta.url), {
    env: {},
    argv: [],
    execArgv: [],
    workerData: { seal: new URL('workers/seal.js', DIST).href, specifiers: SPECIFIERS },
  })
  report = await new Promise<Report>((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
    worker.once('exit', () => reject(new Error('the worker ended without a report')))
  })
  await worker.terminate()
})

function outcome(name: string): Attempt {
  const attempt = report.results[name]
  if (attempt === undefined) throw new Error(`not tried: ${name}`)
  return attempt
}

describe('R2: text cannot become code', () => {
  it.each([
    'eval',
    'Function',
    'constructor of a function',
    'constructor of an async function',
    'constructor of a generator',
    'constructor of an async generator',
    'constructor of a class',
    'constructor of a bound function',
    'constructor of a proxy',
    'constructor of Node’s function',
    'constructor of Buffer',
    'constructor of a port',
    'constructor of performance',
    'constructor by Reflect',
    'constructor by a subclass',
    'a text as timer',
    'error of Node’s',
    'error of a helper’s',
    'error of an exhausted stack',
    'restored constructor',
  ])('C1, C2: %s', (name) => {
    expect(['EvalError', 'ReferenceError', 'TypeError']).toContain(outcome(name).refused)
  })
})

describe('I8: the globals of a sealed thread', () => {
  it('I8: are exactly the listed ones, on every Node', () => {
    expect(report.globals).toEqual(GLOBALS)
  })

  it('I8: include all that the functions of a slot use', () => {
    const gone = new Set(Object.getOwnPropertyNames(globalThis).filter((name) => !GLOBALS.includes(name)))
    expect(gone).toContain('WebAssembly')
    // Comlink warns about a message from an origin that is not allowed. A slot allows all of them.
    expect(namesReadInFunctions(BUNDLE, gone)).toEqual(['console'])
  })

  it('I8: are less than half of those that Node gives a thread', () => {
    expect(report.removed).toBeGreaterThan(50)
  })

  it.each([
    'process',
    'require',
    'module',
    'fetch',
    'WebAssembly',
    'WebSocket',
    'navigator',
    'console',
    'crypto',
    'BroadcastChannel',
    'Worker',
    'setInterval',
    'setImmediate',
    'structuredClone',
    'FinalizationRegistry',
    'WeakRef',
    'ShadowRealm',
    'localStorage',
    'Temporal',
    'gc',
  ])('C27, C30: %s is not one of them', (name) => {
    expect(outcome(`global ${name}`).refused).toBe('ReferenceError')
  })
})

describe('C24, C25: intrinsics are frozen', () => {
  it.each([
    'Object.prototype',
    'Object.prototype.toString',
    'Array.prototype.push',
    'Array.prototype[0]',
    'Function.prototype.call',
    'Promise.prototype.then',
    'Map.prototype.get',
    'Uint8Array.prototype.slice',
    'Uint8Array.prototype.constructor',
    'Symbol.iterator of arrays',
    'next of array iterators',
    'next of generators',
    'String.prototype.slice',
    'RegExp.prototype.exec',
    'Error.prepareStackTrace',
    'Error.stackTraceLimit',
    'Atomics.wait',
    'JSON.stringify',
    'Math.min',
    'DataView.prototype.getUint8',
    'TextDecoder.prototype.decode',
  ])('C24: %s cannot be replaced', (name) => {
    expect(outcome(`poison ${name}`).refused).toBe('TypeError')
  })

  it.each(['define on Array.prototype', 'another prototype'])('C24: %s is rejected', (name) => {
    expect(outcome(name).refused).toBe('TypeError')
  })

  it.each([
    ['ordinary errors', 'Mine: y'],
    ['ordinary objects', 'mine10'],
  ])('%s still work', (name, value) => {
    expect(outcome(name).value).toBe(value)
  })
})

// Not defences: what JavaScript in a slot's thread can do today. Nothing in the slot lets such code in.
describe('residual risk of L2', () => {
  it.each(SPECIFIERS)('residual: import(%s) still works', (specifier) => {
    expect(outcome(`import ${specifier}`).reached).toBe('number')
  })

  it.each([
    'MessagePort.prototype.postMessage',
    'Buffer.from',
    'Buffer.prototype.toString',
    'performance.now',
    'globalThis.setTimeout',
    'globalThis.Uint8Array',
  ])('residual, C25: %s can be replaced', (name) => {
    expect(outcome(`poison ${name}`).value).toBe(true)
  })

  it('residual: new globals can be created', () => {
    expect(outcome('a new global').value).toBe(true)
  })
})
