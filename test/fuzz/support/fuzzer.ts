// What a module of test/fuzz/ exports, and how the modules are found. Owns the contract; each module generates and judges its own cases.
import { readdirSync } from 'node:fs'

export interface FuzzOptions {
  /** Determines every case: the same seed gives the same cases in the same order. */
  readonly seed: number
  /** When to stop, on the clock of `performance.now()`. */
  readonly deadlineMs: number
  /** Stop after this many cases. Default: no maximum, only the deadline. */
  readonly maxCases?: number
  /** Where images are cached. Default: the library's own default. */
  readonly cacheDir?: string
  /** Called now and then with the number of cases so far. */
  readonly onProgress: (cases: number) => void
}

export interface FuzzReport {
  readonly cases: number
  /** How often each outcome occurred. */
  readonly counts: Readonly<Record<string, number>>
  /** Faults found, each with enough detail to reproduce it. Empty if there are none. */
  readonly faults: readonly string[]
}

export interface Fuzzer {
  readonly name: string
  run(options: FuzzOptions): Promise<FuzzReport>
}

/**
 * All fuzzers of the repository, sorted by name: the modules `test/fuzz/*.ts`, as compiled by the build, and `test/fuzz/*.mjs`, which use
 * internal parts of the build and are not compiled.
 *
 * @param root - the repository's folder, with a trailing slash
 */
export async function findFuzzers(root: URL): Promise<readonly Fuzzer[]> {
  const folders = [new URL('dist/test/fuzz/', root), new URL('test/fuzz/', root)]
  const files = folders.flatMap((folder) =>
    readdirSync(folder)
      .filter((file) => /\.m?js$/.test(file) && !NO_FUZZERS.includes(file))
      .map((file) => new URL(file, folder).href),
  )
  const modules = await Promise.all(files.map((file) => import(file) as Promise<Partial<Fuzzer>>))
  const isFuzzer = (module: Partial<Fuzzer>): module is Fuzzer =>
    typeof module.name === 'string' && typeof module.run === 'function'
  return modules.filter(isFuzzer).sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** Not fuzzers: importing these would run them. */
const NO_FUZZERS: readonly string[] = ['main.js', 'run.mjs']
