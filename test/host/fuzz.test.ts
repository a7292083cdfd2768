import { describe, expect, it } from 'vitest'
import { IMPORT_ROWS } from '../../workers/host/imports.js'
import { InterruptCell } from '../../workers/host/interrupt.js'
import { Guest } from './guest.js'

/** Calls of each import. HOST_FUZZ_CALLS sets another number. */
const CALLS = Number(process.env.HOST_FUZZ_CALLS ?? 1_000)
/** Calls of an import that ends the interpreter. After the first, the interpreter has ended, and no import runs. */
const ENDING_CALLS = 20
const FILE_BYTES = 1024 * 1024

/** Never sleeps, so that a random timeout does not delay the test. */
class Sleepless extends InterruptCell {
  override wait(): 'timeout' {
    return 'timeout'
  }
}

/** Numerical Recipes' generator. The same seed reproduces a failure. */
function numbers(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

const EDGES = [
  0,
  1,
  -1,
  2,
  3,
  4,
  7,
  8,
  100,
  -100,
  4095,
  4096,
  65_535,
  65_536,
  2 ** 21 - 1,
  2 ** 21,
  0x7fffffff,
  -0x80000000,
]

const parameterTypes = new Map<string, string>([
  ['fd_seek', 'ijii'],
  ['fd_pread', 'iiiji'],
  ['fd_pwrite', 'iiiji'],
  ['clock_time_get', 'iji'],
  ['_munmap_js', 'iiiiij'],
  ['_msync_js', 'iiiiij'],
  ['_mmap_js', 'iiiijii'],
  ['__syscall_ftruncate64', 'ij'],
  ['__syscall_truncate64', 'ij'],
  ['__syscall_fadvise64', 'ijji'],
  ['__syscall_fallocate', 'iijj'],
  ['_localtime_js', 'ji'],
  ['_gmtime_js', 'ji'],
])

describe('hostile numbers and pointers (R1)', () => {
  it.each(IMPORT_ROWS)('$name survives random calls', ({ name, class: kind }) => {
    const random = numbers(Buffer.from(name).reduce((sum, byte) => sum * 31 + byte, 7))
    let guest = hostile(kind === 'ends-interpreter' ? SHARED : undefined)
    const types = parameterTypes.get(name) ?? 'iiiiiii'
    const calls = kind === 'ends-interpreter' ? ENDING_CALLS : CALLS
    for (let call = 0; call < calls; call += 1) {
      const parameters = [...types].map((type) => (type === 'j' ? bigint(random) : integer(random)))
      try {
        const result = guest.call(name, ...parameters)
        if (!['number', 'bigint', 'undefined'].includes(typeof result) && result !== null) {
          expect.fail(`${name}(${parameters}) returned ${typeof result}`)
        }
      } catch (error) {
        if ((error as Error).name !== 'InterpreterEnd') expect.fail(`${name}(${parameters}) threw ${error}`)
        // Imports whose every call ends the interpreter need only one guest.
        if (kind !== 'ends-interpreter' && call % (CALLS / 10) === 0) guest = hostile()
      }
    }
    expect(guest.host.usage.fileBytes).toBeLessThanOrEqual(FILE_BYTES)
    expect(guest.memory.buffer.byteLength).toBeLessThanOrEqual(8 * 1024 * 1024)
  })

  it('one guest survives random calls of all imports in turn', () => {
    const random = numbers(20_26)
    const names = IMPORT_ROWS.filter(
      ({ class: kind, name }) => kind !== 'ends-interpreter' && !ENDING.includes(name),
    ).map(({ name }) => name)
    const guest = hostile()
    for (let call = 0; call < 20 * CALLS; call += 1) {
      const name = names[Math.floor(random() * names.length)] ?? ''
      const types = parameterTypes.get(name) ?? 'iiiiiii'
      const parameters = [...types].map((type) => (type === 'j' ? bigint(random) : integer(random)))
      try {
        guest.call(name, ...parameters)
      } catch (error) {
        expect.fail(`${name}(${parameters}) threw ${error}`)
      }
    }
    expect(guest.host.ended).toBeNull()
    expect(guest.host.usage.fileBytes).toBeLessThanOrEqual(FILE_BYTES)
  })
})

/** These imports end the interpreter on purpose. */
const ENDING = [
  'exit',
  'proc_exit',
  '_abort_js',
  '__assert_fail',
  '_PyEM_TrampolineCall_JS',
  '__call_sighandler',
  'ffi_call_js',
]

/** A guest with files, open descriptors and a memory full of values that look like arguments. */
function hostile(memory = noisyMemory()): Guest {
  const limits = { memoryBytes: 8 * 1024 * 1024, outputBytes: 65_536, fileBytes: FILE_BYTES }
  const guest = new Guest({ limits, interrupt: new Sleepless(), memory })
  guest.host.beginExecution(1)
  guest.put('/tmp/file', 'x'.repeat(5000))
  guest.mkdir('/tmp/directory')
  guest.symlink('loop', '/tmp/loop')
  for (const path of ['/tmp/file', '/tmp', '/dev/null', '/dev/urandom', '/dev/zero'])
    guest.open(path, path === '/tmp/file' ? 2 : 0)
  guest.call('__syscall_pipe', guest.room(8))
  for (const [at, text] of ['/tmp/file', '/tmp/new', '/tmp/directory', 'loop', '..', '/dev/fd/1'].entries()) {
    guest.bytes.write(`${text}\0`, PATHS + 64 * at)
  }
  return guest
}

const PATHS = 1_000_000

/** Memory in which half of all words look like arguments and the others are zero. */
const NOISE = noise(numbers(1))

/** For imports that end the interpreter, which change no memory. */
const SHARED = noisyMemory()

function noisyMemory(): WebAssembly.Memory {
  const memory = new WebAssembly.Memory({ initial: 32, maximum: 1024 })
  new Uint8Array(memory.buffer).set(NOISE)
  return memory
}

function noise(random: () => number): Uint8Array {
  const words = new Int32Array(2 ** 19)
  for (let at = 0; at < words.length; at += 1) words[at] = random() < 0.5 ? integer(random) : 0
  return new Uint8Array(words.buffer)
}

function integer(random: () => number): number {
  const kind = random()
  if (kind < 0.25) return EDGES[Math.floor(random() * EDGES.length)] ?? 0
  if (kind < 0.45) return Math.floor(random() * 12)
  if (kind < 0.6) return PATHS + 64 * Math.floor(random() * 6)
  if (kind < 0.8) return Math.floor(random() * 2 ** 21)
  return (random() * 2 ** 32) | 0
}

function bigint(random: () => number): bigint {
  const kind = random()
  if (kind < 0.4) return BigInt(Math.floor(random() * 10_000))
  if (kind < 0.6) return BigInt(integer(random))
  return BigInt.asIntN(
    64,
    (BigInt(Math.floor(random() * 2 ** 32)) << 32n) | BigInt(Math.floor(random() * 2 ** 32)),
  )
}
