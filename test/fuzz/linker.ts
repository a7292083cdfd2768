// Passes damaged and invented side modules to the linker. Each set is rejected with a LinkError, or linked into two valid modules that
// change no more state than the interpreter's own, in bounded time and memory. No other error is allowed.
import { Random } from '../../chaos/random.js'
import { type LibraryFile, LinkError, link } from '../../workers/linker/link.js'
import { concatenate, section, sections } from '../../workers/wasm/encoding.js'
import { changesOf } from '../image/support/instructions.js'
import { KEEP, mainModule, TABLE_BASE } from '../linker/support/program.js'
import { librariesOf, WHEELS } from '../linker/support/wheels.js'
import { mutate } from '../snapshot/support/mutate.js'
import type { FuzzOptions, FuzzReport } from './support/fuzzer.js'
import { FOLDERS, SideModules } from './support/side-modules.js'

export const name = 'linker'

const MAX_FAULTS = 20
/** All cases are only a few kilobytes. */
const LONGEST_CPU_MS = 3000
/** Above the memory used at the start. */
const MOST_BYTES = 700 * 2 ** 20
const ADDRESS = 65_536
/** Real libraries of at most this size are damaged as well, if there are any. */
const SMALL_LIBRARY_BYTES = 60_000

export async function run({
  seed,
  deadlineMs,
  maxCases = Infinity,
  onProgress,
}: FuzzOptions): Promise<FuzzReport> {
  const random = new Random(seed)
  const below = (n: number) => random.integer(0, Math.max(0, n - 1))
  const modules = new SideModules(random)
  const main = mainModule()
  const real =
    WHEELS === undefined ? [] : librariesOf(WHEELS).filter(({ bytes }) => bytes.length < SMALL_LIBRARY_BYTES)
  const counts: Record<string, number> = {}
  const faults: string[] = []
  const startBytes = process.memoryUsage.rss()
  let cases = 0
  for (; cases < maxCases && performance.now() < deadlineMs && faults.length < MAX_FAULTS; cases++) {
    const libraries = drawn(random, below, modules, real)
    const startedMs = cpuMs()
    const outcome = random.chance(0.15)
      ? unchecked(() => fate(main, libraries, false))
      : fate(main, libraries, true)
    if (outcome instanceof Error) faults.push(`case ${cases}: ${outcome.stack}: ${shown(libraries)}`)
    else counts[outcome] = (counts[outcome] ?? 0) + 1
    const took = cpuMs() - startedMs
    if (took > LONGEST_CPU_MS) faults.push(`case ${cases} took ${took} ms: ${shown(libraries)}`)
    if (process.memoryUsage.rss() - startBytes > MOST_BYTES) faults.push(`case ${cases}: the process grows`)
    onProgress(cases)
  }
  return { cases, counts, faults }
}

const cpuMs = () => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
const shown = (libraries: readonly LibraryFile[]) =>
  libraries.map(({ bytes }) => Buffer.from(bytes).toString('hex').slice(0, 4000)).join(' ')

/** The only state besides memory that libraries may change: the main module's stack pointer. */
const STACK_POINTER = { what: 'global', index: 0 }

/** @param areValid - whether the libraries were validated, so that the merged modules must be valid */
function fate(main: Uint8Array, libraries: readonly LibraryFile[], areValid: boolean): string | Error {
  try {
    const program = link({ main, keep: KEEP, libraries, tableBase: TABLE_BASE })
    const placed = program.placeAt(Math.ceil(ADDRESS / program.memoryAlignment) * program.memoryAlignment)
    const modules = [placed.builderModule(), placed.slotModule()]
    if (!areValid) return 'linked, unchecked'
    for (const module of modules) {
      if (!WebAssembly.validate(module)) return new Error('the merged module is not valid')
      for (const { what, index } of changesOf(module))
        if (what !== STACK_POINTER.what || index !== STACK_POINTER.index)
          return new Error(`the merged module changes ${what} ${index}`)
    }
    if (program.memoryBytes < 2 ** 20) placed.writeData(new Uint8Array(ADDRESS * 2 + program.memoryBytes))
    return 'linked'
  } catch (error) {
    if (error instanceof LinkError)
      return /not valid WebAssembly/.test(error.reason) ? 'refused by V8' : 'refused'
    return error instanceof Error ? error : new Error(String(error))
  }
}

/** Disables V8's validation of the libraries, so that the linker's own checks see what it would have caught. */
function unchecked<T>(work: () => T): T {
  const { validate } = WebAssembly
  try {
    WebAssembly.validate = () => true
    return work()
  } finally {
    WebAssembly.validate = validate
  }
}

function drawn(
  random: Random,
  below: (n: number) => number,
  modules: SideModules,
  real: readonly LibraryFile[],
): LibraryFile[] {
  if (real.length > 0 && random.chance(0.1)) {
    const file = random.pick(real)
    return [{ ...file, bytes: damaged(file.bytes, random, below) }]
  }
  const count = random.pick([1, 1, 2, 3, 4])
  const libraries = Array.from({ length: count }, (_, i) => {
    const bytes = modules.next(i)
    return {
      path: `/site/${random.pick(FOLDERS)}/${i}.so`,
      wheel: 'w.whl',
      bytes: random.chance(0.15) ? damaged(bytes, random, below) : bytes,
    }
  })
  return random.chance(0.02) ? [...libraries, ...libraries] : libraries
}

/** Damages bytes anywhere, or within a section whose length is kept correct. */
function damaged(bytes: Uint8Array, random: Random, below: (n: number) => number): Uint8Array {
  if (random.chance(0.2)) return new Uint8Array(mutate(bytes, below))
  if (random.chance(0.5)) {
    const copy = bytes.slice()
    copy[below(copy.length)] = random.chance(0.5) ? below(8) : below(256)
    return copy
  }
  const parts = sections(bytes)
  const chosen = below(parts.length)
  const changed = parts.map(({ id, content, whole }, i) => {
    if (i !== chosen) return whole
    return section(
      random.chance(0.02) ? below(14) : id,
      content.length === 0 ? content : new Uint8Array(mutate(content, below)),
    )
  })
  if (random.chance(0.05)) changed.splice(below(changed.length), 1, ...changed.slice(0, below(3)))
  return concatenate([bytes.subarray(0, 8), ...changed])
}
