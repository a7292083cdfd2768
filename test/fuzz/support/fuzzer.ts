// What a module of test/fuzz/ exports, and how the modules are found. Owns the contract; drawing cases and judging them is each module's.
import { readdirSync } from 'node:fs'

export interface FuzzOptions {
  /** Every case follows from it: the same seed gives the same cases in the same order. */
  readonly seed: number
  /** When to stop, on the clock of `performance.now()`. */
  readonly deadlineMs: number
  /** Stop after this many cases; default: none, the deadline decides. */
  readonly maxCases?: number
  /** Where images are kept; default: the library's own default. */
  readonly cacheDir?: string
  /** To be called now and then, with the cases so far. */
  readonly onProgress: (cases: number) => void
}

export interface FuzzReport {
  readonly cases: number
  /** How often each outcome came. */
  readonly counts: Readonly<Record<string, number>>
  /** What should not have happened, each with enough to see it again. Empty when all is well. */
  readonly faults: readonly string[]
}

export interface Fuzzer {
  readonly name: string
  run(options: FuzzOptions): Promise<FuzzReport>
}

/**
 * All fuzzers of the repository, in the order of their names: the modules `test/fuzz/*.ts`, from the build, and `test/fuzz/*.mjs`, which
 * use internal parts of the build and so are not compiled.
 *
 * @param root - the repository's folder, with a slash at its end
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

/** Importing these would start them. */
const NO_FUZZERS: readonly string[] = ['main.js', 'run.mjs']
