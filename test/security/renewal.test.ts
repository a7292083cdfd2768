// S1, I1: a renewed interpreter equals one that has just booted: memory, mutable globals, tables, host. Compared from outside, through
// the module's own exports; residue.test.ts compares from inside Python.
import { beforeAll, describe, expect, inject, test } from 'vitest'
import type { Image } from '../../src/shared/image/image.js'
import type { OutputReceiver } from '../../workers/host/output.js'
import { Host, Interpreter, InterruptCell, Opcode, openImage, readable } from '../image/built.js'
import { py } from '../support/session-code.js'
import { TestDoor } from '../support/test-door.js'
import { READ_ALL_MEMORY } from './support/forged-memory.js'

let image: Image

beforeAll(async () => {
  image = await openImage({ cacheDir: inject('cacheDir') })
})

type BoundExports = Parameters<InstanceType<typeof Host>['bind']>[0]

/** An interpreter that exposes everything that code can change. */
class OpenInterpreter {
  readonly #image: ReturnType<typeof readable>
  readonly #interpreter: ReturnType<typeof Interpreter.boot>
  readonly #output: string[] = []
  exports: Record<string, unknown> = {}
  host: InstanceType<typeof Host>
  #count = 0

  constructor() {
    this.#image = readable(image)
    this.host = this.#newHost()
    this.#interpreter = Interpreter.boot(this.#image, this.host)
  }

  renew(): WebAssembly.Memory | undefined {
    const host = this.#newHost()
    const replaced = this.#interpreter.renew(host)
    this.host = host
    return replaced
  }

  /** After this the interpreter knows which pages differ from the image, and `renew` writes only those. */
  capture(): void {
    this.#interpreter.capture()
  }

  get memory(): Buffer {
    return Buffer.from((this.exports.memory as WebAssembly.Memory).buffer)
  }

  get globals(): Record<string, unknown> {
    const globals = Object.entries(this.exports).filter(([, value]) => value instanceof WebAssembly.Global)
    return Object.fromEntries(globals.map(([name, value]) => [name, (value as WebAssembly.Global).value]))
  }

  get tableLengths(): Record<string, number> {
    const tables = Object.entries(this.exports).filter(([, value]) => value instanceof WebAssembly.Table)
    return Object.fromEntries(tables.map(([name, value]) => [name, (value as WebAssembly.Table).length]))
  }

  /** Names of the functions in the table: a number for each, and another name for the trampoline. */
  get functions(): string[] {
    const table = this.exports.__indirect_function_table as WebAssembly.Table
    return Array.from(
      { length: table.length },
      (_, i) => (table.get(i) as { name?: string } | null)?.name ?? '',
    )
  }

  run(code: string): string {
    const head = Buffer.alloc(5)
    head.writeUInt32LE(++this.#count)
    this.host.beginExecution(this.#count)
    const reply = this.#interpreter.call(Opcode.execute, head, Buffer.from(code))
    const printed = this.#output.splice(0).join('')
    return reply.kind === 'done' ? printed + Buffer.from(reply.payload).toString('latin1') : reply.kind
  }

  #newHost(): InstanceType<typeof Host> {
    const { files, bytes, cwd } = this.#image
    const onOutput: OutputReceiver = (_, from, start, end) => {
      this.#output.push(Buffer.from(from.subarray(start, end)).toString('latin1'))
    }
    const door = new TestDoor()
    const host = new Host({ files, bytes, cwd, interrupt: new InterruptCell(), onOutput, door })
    const bind = host.bind.bind(host)
    host.bind = (exports: BoundExports, probe) => {
      this.exports = exports as unknown as Record<string, unknown>
      bind(exports, probe)
    }
    return host
  }
}

/** Everything that code can change, except the memory. */
function stateOf({ globals, tableLengths, functions, host }: OpenInterpreter): unknown {
  return {
    globals,
    tableLengths,
    functions,
    usage: host.usage,
    host: { ...host.capture().state, clockMs: 0 },
  }
}

/** An interpreter that has just booted and runs no code, so that all tests can compare with it. */
let fresh: OpenInterpreter
let freshState: unknown
let freshOutput: string
const RUN = 'x = 1; print(x + 1)'

beforeAll(() => {
  fresh = new OpenInterpreter()
  freshState = stateOf(fresh)
  freshOutput = new OpenInterpreter().run(RUN)
})

function expectPristine(renewed: OpenInterpreter): void {
  expect(renewed.memory.length).toBe(fresh.memory.length)
  expect(renewed.memory.compare(fresh.memory), 'memory').toBe(0)
  expect(stateOf(renewed)).toEqual(freshState)
}

/** What a tenant can do without ending the interpreter. */
const DEEDS: Readonly<Record<string, string>> = {
  names: 'secret = "Wombat" * 1000; import sys; sys.secret = secret; sys.intern("Wombat-intern"); json = 1',
  growth: 'block = bytearray(b"Wombat") * 20_000_000; len(block)',
  exception: 'def f(n): return f(n + 1)\nf(0)',
  files: py`
    import os
    os.makedirs('/tmp/Wombat'); os.chdir('/tmp/Wombat'); os.umask(0o77);
    kept = [open(f'/tmp/Wombat/{n}', 'w') for n in range(20)]
    kept[0].write('Wombat' * 10_000); os.dup2(kept[1].fileno(), 2); pipe = os.pipe()
    import mmap, sqlite3; database = sqlite3.connect('/tmp/Wombat/database'); database.execute('create table wombat (x)')
  `,
  tasks: py`
    import asyncio, brumate
    async def stay():
        while True: await asyncio.sleep(0.001)
    tasks = [asyncio.create_task(stay()) for _ in range(100)]
  `,
  types: py`
    import gc, signal
    gc.disable(); gc.set_threshold(1, 1, 1); signal.signal(signal.SIGINT, signal.SIG_IGN)
    for n in range(300): type(f'Wombat{n}', (), {'x': property(lambda self: 1)})().x
    int.__doc__, {}.get, [].append
  `,
  // Simulates a memory-safety bug of CPython: overwrites every byte that the interpreter does not need next.
  forgery: `${READ_ALL_MEMORY}\nfor at in range(29 << 20, 31 << 20, 64): memory[at] ^= 0x55`,
}

describe('S1, I1: a renewed interpreter', () => {
  test.each(Object.keys(DEEDS))(
    'equals the image in every byte, global and table entry after: %s',
    (deed) => {
      const renewed = new OpenInterpreter()
      const before = renewed.memory.length
      renewed.run(DEEDS[deed] ?? '')
      expect(renewed.memory.equals(fresh.memory)).toBe(false)
      const replaced = renewed.renew()
      expect(replaced !== undefined).toBe(deed === 'growth')
      expect(renewed.memory.length).toBe(before)
      expectPristine(renewed)
      expect(renewed.run(RUN)).toBe(freshOutput)
    },
  )

  test.each(Object.keys(DEEDS).filter((deed) => deed !== 'growth'))(
    'equals the image if it was also captured, before or after more code ran: %s',
    (deed) => {
      const renewed = new OpenInterpreter()
      renewed.run(DEEDS[deed] ?? '')
      renewed.capture()
      expect(renewed.memory.equals(fresh.memory)).toBe(false)
      renewed.renew()
      expectPristine(renewed)
      renewed.capture()
      renewed.run(DEEDS[deed] ?? '')
      renewed.renew()
      expectPristine(renewed)
    },
  )

  test('equals the image after many leases', () => {
    const renewed = new OpenInterpreter()
    for (let round = 0; round < 2; round++)
      for (const deed of Object.values(DEEDS)) {
        renewed.run(deed)
        renewed.renew()
      }
    expectPristine(renewed)
  })

  test('has the image’s globals again, and is a new instance if a table had grown', () => {
    const renewed = new OpenInterpreter()
    const hidden = Object.keys(renewed.globals).filter((name) => name.startsWith('state '))
    expect(hidden).toHaveLength(3)
    for (const name of hidden) (renewed.exports[name] as WebAssembly.Global).value = 7
    expect(renewed.renew()).toBeUndefined()
    expectPristine(renewed)
    const tables = Object.keys(renewed.tableLengths).filter((name) => name.startsWith('state '))
    expect(tables).toHaveLength(2)
    for (const name of tables) {
      ;(renewed.exports[name] as WebAssembly.Table).grow(3)
      expect(renewed.renew()).toBeDefined()
      expectPristine(renewed)
    }
  })

  test('does not use its previous host', () => {
    const renewed = new OpenInterpreter()
    const { host } = renewed
    host.configure({ memoryBytes: 64 * 2 ** 20, outputBytes: 10, fileBytes: 10 }, 'Asia/Tokyo')
    renewed.run('print("Wombat" * 100)')
    expect(host.exceeded).toBe('outputBytes')
    renewed.renew()
    expect(renewed.host.exceeded).toBe(null)
    const code = 'import time; print("x" * 100, time.tzname, time.localtime(0))'
    expect(renewed.run(code)).toEqual(new OpenInterpreter().run(code))
    expect(host.usage.outputBytes).toEqual({ 1: 10, 2: 0 })
  })

  test('cannot be made from an interpreter that has ended', () => {
    const ended = new OpenInterpreter()
    expect(() =>
      ended.run(`${READ_ALL_MEMORY}\nfor at in range(4096, 1 << 24, 16): memory[at] = 0xff`),
    ).toThrow()
    expect(() => ended.renew()).toThrow()
  })
})
