// A slot's thread without the slot: an interpreter booted from the image, on a host assembled here. So each import can be called with any
// numbers at any stack depth, and the fuzzer can continue after the interpreter's end. Owns the cases; imports-process.mjs owns the
// process that they may crash.
import { writeSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { bound, Diver } from './deep-calls.mjs'

const {
  dist,
  image: sharedImage,
  signatures,
  results,
  seed,
  untilMs,
  mount,
  calls,
  stackBytes,
  sweep,
  minCases,
  withoutDoor,
} = workerData
const load = (path) => import(new URL(`workers/${path}`, dist).href)
const { readable } = await load('image-bytes.js')
const image = readable(sharedImage)
const { IMPORT_ROWS, guardedImports, linkImports, openDoors, WORKING_CLASSES } = await load('host/imports.js')
const { Ending, ImportDoor, InterpreterEnd } = await load('host/guard.js')
const { GuestMemory } = await load('host/guest-memory.js')
const { Clock } = await load('host/clock.js')
const { Signals } = await load('host/signals.js')
const { MemoryGrowth } = await load('host/memory.js')
const { FileSystem } = await load('host/file-system.js')
const { TimeZone } = await load('host/time-zone.js')
const { OutputSink } = await load('host/output.js')
const { HostCalls } = await load('host/host-calls.js')
const { InterruptCell } = await load('host/interrupt.js')
const { MountedNodes } = await load('host/mounts/mounted-nodes.js')
const { Interpreter } = await load('interpreter/interpreter.js')
const { Output } = await load('slot/output.js')

const MEMORY_BYTES = 64 * 2 ** 20
const FILE_BYTES = 2 ** 20
/** Cases until the file system is renewed. */
const CASES_PER_STATE = 2_000
const CASES_PER_IMPORT = 100
/** Range of stack depths: around the reserve that the import door requires, with a margin on both sides. */
const DEPTH_BYTES = 320 * 1024
/** A sweep leaves out depths at which every call has more stack than the reserve. */
const SWEEP_BYTES = 144 * 1024
const NORMAL_SHARE = 0.2
/** Share of cases that call working imports. The others call any import, and most of those do nothing. */
const WORKING_SHARE = 0.9
const MAX_FAULTS = 20

/** These call functions of the interpreter by address, so guest code runs and may use up the stack. */
const CALLS_GUEST = new Set(['__call_sighandler', '_PyEM_TrampolineCall_JS'])

class Sleepless extends InterruptCell {
  wait() {
    return 'timeout'
  }
}

class Impatient extends HostCalls {
  wait(milliseconds, isInterrupted) {
    return super.wait(Math.min(milliseconds, 0.01), isInterrupted)
  }
}

const random = numbers(seed)
const pick = (values) => values[Math.floor(random() * values.length)]
const counts = { returned: 0, ended: 0, 'no stack': 0, 'no stack at the entry': 0 }
const faults = []
let cases = 0
/** What the last import threw, before its guard handled it. */
let thrown
let guest = boot()
const diver = new Diver(stackBytes)

function fuzzImport(name) {
  tell(name)
  const letters = signatures.get(name)
  for (let i = 0; i < CASES_PER_IMPORT; i++) {
    const parameters = argumentsOf(name, letters)
    attempt(name, parameters, random() < NORMAL_SHARE ? stackBytes : random() * DEPTH_BYTES)
  }
}

/** Tries every 16th byte. */
function sweepImport(name) {
  tell(name)
  const letters = signatures.get(name)
  for (let left = SWEEP_BYTES; left > -1024; left -= 16) attempt(name, argumentsOf(name, letters), left)
}

function attempt(name, parameters, leftBytes) {
  cases += 1
  if (cases % CASES_PER_STATE === 0) guest.renewState()
  const stub = guest.stub(name)
  stub.set(parameters)
  thrown = undefined
  try {
    diver.at(stub.call, leftBytes)
    counts.returned += 1
    return
  } catch (error) {
    if (error instanceof InterpreterEnd) {
      if (error.message.startsWith('stack:')) counts['no stack'] += 1
      else counts.ended += 1
    } else if (isOverflow(error) && thrown === undefined) counts['no stack at the entry'] += 1
    else fault(name, parameters, leftBytes, `threw ${error}`)
  }
  if (isOverflow(thrown) && !CALLS_GUEST.has(bare(name)))
    fault(name, parameters, leftBytes, 'the host ran out of stack')
  // After a trap in C code the interpreter's memory is damaged, so boot a new one.
  if (thrown instanceof WebAssembly.RuntimeError) guest = boot()
  else guest.renew(name)
}

function fault(name, parameters, leftBytes, what) {
  if (faults.length < MAX_FAULTS)
    faults.push(`${name}(${parameters}) with ${Math.round(leftBytes)} bytes of stack left: ${what}`)
}

function isOverflow(error) {
  return error instanceof RangeError && /call stack/.test(error.message)
}

/** Logs the current import, so that the parent can report it if this process dies. */
function tell(name) {
  writeSync(2, `${cases} ${name}\n`)
}

function bare(name) {
  return name.slice(name.indexOf('.') + 1)
}

function boot() {
  /** Functions that create each import's guard, by name. Guards are recreated after an interpreter has ended. */
  const guards = new Map()
  let ending = new Ending()
  let probe
  const recorder = {
    guard: (name, run, onError) => {
      const watched = (...parameters) => {
        try {
          return run(...parameters)
        } catch (error) {
          thrown = error
          throw error
        }
      }
      guards.set(name, (fresh) => fresh.guard(name, watched, onError))
      return guards.get(name)(ending)
    },
    forbid: (name, reason) => {
      guards.set(name, (fresh) => fresh.forbid(name, reason))
      return guards.get(name)(ending)
    },
    end: (name, reason) => ending.end(name, reason),
  }
  const output = new Output((stream, text) => parentPort.postMessage({ stream, text }))
  const memory = new GuestMemory()
  const signals = new Signals(new Sleepless(), {
    onTick: () => output.flushDue(),
    onSleep: () => output.flush(),
    onFlush: () => output.flushPart(),
  })
  const sink = new OutputSink(
    (stream, from, start, end) => output.write(stream, from, start, end),
    () => signals.raiseInterrupt(),
  )
  sink.maxBytes = 2 ** 20
  const door = new Impatient(calls)
  const context = {
    memory,
    ending: recorder,
    clock: new Clock(),
    signals,
    growth: new MemoryGrowth(memory),
    fileSystem: undefined,
    zone: undefined,
    door,
    exports: undefined,
  }
  context.growth.maxBytes = MEMORY_BYTES
  const host = {
    imports: (module) => linkImports(module, openDoors(guardedImports(context))),
    bind: (exports, stackProbe) => {
      context.exports = exports
      memory.bind(exports.memory)
      context.growth.bind(exports.memory)
      if (!withoutDoor) probe = stackProbe
    },
  }
  Interpreter.boot(image, host)
  const qualified = new Map([...signatures.keys()].map((name) => [name, guards.get(bare(name))]))
  const stubs = new Map()
  const enterOf = (name) => new ImportDoor(qualified.get(name)(ending)).enter
  const renewEnding = () => {
    ending = new Ending()
    if (probe) ending.requireStack(probe)
  }
  const made = {
    guards: qualified,
    region: layOut(context),
    context,
    stub: (name) => {
      if (!stubs.has(name)) {
        const letters = signatures.get(name)
        stubs.set(name, bound(letters, enterOf(name), results.get(name)))
      }
      return stubs.get(name)
    },
    renew: (name) => {
      renewEnding()
      const stub = stubs.get(name)
      stub.call = stub.again(enterOf(name))
    },
    renewState: () => {
      sink.begin()
      output.end()
      output.begin(1, { stdout: true, stderr: true, isSent: true })
      door.reset()
      const { files, bytes, cwd } = image
      context.fileSystem = new FileSystem({ files, bytes, cwd, output: sink })
      context.fileSystem.quota.maxBytes = FILE_BYTES
      context.fileSystem.mount(new MountedNodes(mount))
      context.zone = new TimeZone(pick(['UTC', 'Europe/Berlin', 'Australia/Lord_Howe', 'America/New_York']))
      openFiles(context, made.region)
    },
  }
  renewEnding()
  made.renewState()
  return made
}

/** Fills a block of the guest's memory with useful arguments. */
function layOut({ exports, memory }) {
  const start = exports.emscripten_builtin_memalign(65_536, 4 * 65_536) >>> 0
  const paths = [
    ...['/tmp/file', '/tmp/new', '/tmp/directory', 'loop', '..', '/dev/fd/1', '/dev/urandom', '', '/', 'new'],
    ...['/mnt/shared', '/mnt/shared/file', '/mnt/shared/new', '/mnt/shared/directory', '/mnt/shared/link'],
    ...[
      '/mnt/shared/../shared/./directory/../file',
      '/tmp/directory/../../tmp/file',
      'directory/',
      '/dev/stdout',
    ],
  ]
  for (const [i, path] of paths.entries()) memory.bytes.write(`${path}\0`, start + 64 * i, 'latin1')
  const lists = start + 4096
  const buffers = start + 65_536
  for (let i = 0; i < 64; i++) {
    memory.setU32(lists + 8 * i, buffers + 1024 * i)
    memory.setU32(lists + 8 * i + 4, [1, 0, 17, 1024, 4096, 70_000][i % 6])
  }
  const records = start + 8192
  for (let at = records; at < records + 8192; at += 4)
    memory.setU32(at, random() < 0.5 ? Math.floor(random() * 12) : Math.floor(random() * 2 ** 32))
  return { start, paths, lists, records, buffers }
}

/** Opens descriptors from 3 to about 12, and creates files and links. */
function openFiles({ fileSystem }, { paths }) {
  const { files, descriptors } = fileSystem
  const quietly = (make) => {
    try {
      make()
    } catch {}
  }
  quietly(() => files.mkdir(files.cwd, '/tmp/directory', 0o777))
  quietly(() => files.mkdir(files.cwd, '/mnt/shared/directory', 0o777))
  quietly(() => files.symlink('loop', files.cwd, 'loop'))
  quietly(() => files.symlink('file', files.cwd, '/mnt/shared/link'))
  for (const path of ['/tmp/file', '/mnt/shared/file']) {
    quietly(() => descriptors.open(files.open(files.cwd, path, 0o102, 0o666), 2))
  }
  for (const path of paths) quietly(() => descriptors.open(files.open(files.cwd, path, 0, 0), 0))
  quietly(() => fileSystem.openPipe())
}

function argumentsOf(name, letters) {
  const plausible = random() < 0.6 ? PLAUSIBLE[bare(name)]?.() : undefined
  return [...letters].map((letter, i) => {
    const value = plausible?.[i] ?? number()
    if (letter === 'j')
      return BigInt.asIntN(64, BigInt(Math.trunc(value)) * (plausible || random() < 0.7 ? 1n : 2n ** 33n))
    return letter === 'i' ? value | 0 : value
  })
}

function number() {
  const { start, paths } = guest.region
  const kind = random()
  if (kind < 0.2) return pick(EDGES)
  if (kind < 0.4) return Math.floor(random() * 14)
  if (kind < 0.6) return start + 64 * Math.floor(random() * paths.length)
  if (kind < 0.85) return start + (Math.floor(random() * 2 ** 18) & ~3)
  return (random() * 2 ** 32) | 0
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
  2 ** 21,
  0x7fffffff,
  -0x80000000,
  0x3fffffff,
]

const path = () => guest.region.start + 64 * Math.floor(random() * guest.region.paths.length)
const list = () => guest.region.lists + 8 * Math.floor(random() * 64)
const record = () => guest.region.records + 8 * Math.floor(random() * 1000)
const buffer = () => guest.region.buffers + 8 * Math.floor(random() * 8192)
const descriptor = () => (random() < 0.05 ? 0x3fffffff : Math.floor(random() * 16))
const here = () => (random() < 0.8 ? -100 : descriptor())
const time = () => Math.floor((random() - 0.3) * 8e9)
const small = () => Math.floor(random() * 2000)

const PLAUSIBLE = {
  __syscall_openat: () => [here(), path(), pick([0, 1, 2, 0o100, 0o102, 0o1101, 0o200000, 0o2002]), record()],
  __syscall_stat64: () => [path(), buffer()],
  __syscall_lstat64: () => [path(), buffer()],
  __syscall_newfstatat: () => [here(), path(), buffer(), pick([0, 0x100, 0x1000])],
  __syscall_statfs64: () => [path(), 64, buffer()],
  __syscall_faccessat: () => [here(), path(), Math.floor(random() * 8), 0],
  __syscall_chdir: () => [path()],
  __syscall_getcwd: () => [buffer(), small()],
  __syscall_chmod: () => [path(), 0o777],
  __syscall_mkdirat: () => [here(), path(), 0o777],
  __syscall_mknodat: () => [here(), path(), 0o100666, 0],
  __syscall_unlinkat: () => [here(), path(), pick([0, 0x200])],
  __syscall_renameat: () => [here(), path(), here(), path()],
  __syscall_symlinkat: () => [path(), here(), path()],
  __syscall_readlinkat: () => [here(), path(), buffer(), small()],
  __syscall_truncate64: () => [path(), small()],
  __syscall_utimensat: () => [here(), path(), pick([0, record()]), 0],
  __syscall_fstat64: () => [descriptor(), buffer()],
  __syscall_fstatfs64: () => [descriptor(), 64, buffer()],
  __syscall_fchdir: () => [descriptor()],
  __syscall_ftruncate64: () => [descriptor(), small()],
  __syscall_fallocate: () => [descriptor(), 0, small(), small()],
  __syscall_fdatasync: () => [descriptor()],
  __syscall_getdents64: () => [descriptor(), buffer(), pick([280, 4096, 30_000])],
  __syscall_dup: () => [descriptor()],
  __syscall_dup3: () => [descriptor(), descriptor(), 0],
  __syscall_pipe: () => [record()],
  __syscall_fcntl64: () => [descriptor(), pick([0, 1, 2, 3, 4, 5, 6, 7, 12, 13, 14, 1030]), record()],
  __syscall_poll: () => [record(), Math.floor(random() * 20), pick([0, 1, -1])],
  fd_read: () => [descriptor(), list(), pick([1, 1, 2, 5]), record()],
  fd_write: () => [descriptor(), list(), pick([1, 1, 2, 5]), record()],
  fd_pread: () => [descriptor(), list(), pick([1, 1, 2, 5]), small(), record()],
  fd_pwrite: () => [descriptor(), list(), pick([1, 1, 2, 5]), small(), record()],
  fd_seek: () => [descriptor(), small(), Math.floor(random() * 3), record()],
  fd_close: () => [descriptor()],
  fd_sync: () => [descriptor()],
  fd_fdstat_get: () => [descriptor(), record()],
  clock_time_get: () => [Math.floor(random() * 4), 0, record()],
  clock_res_get: () => [Math.floor(random() * 4), record()],
  _localtime_js: () => [time(), record()],
  _gmtime_js: () => [time(), record()],
  _mktime_js: () => [record()],
  _timegm_js: () => [record()],
  _tzset_js: () => [record(), record(), buffer(), buffer()],
  random_get: () => [buffer(), small()],
  emscripten_resize_heap: () => [guest.context.memory.bytes.length + pick([0, 1, 65_536, 2 ** 20, 2 ** 30])],
  _mmap_js: () => [small(), 3, pick([1, 2]), descriptor(), 0, record(), record()],
  _msync_js: () => [buffer(), small(), 3, pick([1, 2]), descriptor(), 0],
  _munmap_js: () => [buffer(), small(), 3, pick([1, 2]), descriptor(), 0],
  ffi_closure_alloc_js: () => [small(), record()],
  _emscripten_get_progname: () => [buffer(), small()],
}

function numbers(start) {
  let state = start >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

const names = [...guest.guards.keys()]
const working = IMPORT_ROWS.filter((row) => WORKING_CLASSES.includes(row.class)).map(
  (row) => `${row.module}.${row.name}`,
)
if (sweep) names.filter((name) => sweep === true || sweep.includes(name)).forEach(sweepImport)
else
  while ((Date.now() < untilMs || cases < minCases) && faults.length < MAX_FAULTS)
    fuzzImport(pick(random() < WORKING_SHARE ? working : names))
parentPort.postMessage({ done: true, cases, counts, faults })
