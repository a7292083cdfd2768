// The resources of the process: memory, descriptors, threads, handles. Owns the samples, and what counts as a leak.
import { readdirSync, readlinkSync } from 'node:fs'

const SAMPLE_MS = 250
/** Shorter runs are not checked for growth. */
const LEAST_MS = 60_000
/** Resident memory may grow this much from the median of the middle third to that of the last third. */
const GROWTH = 1.1
const GROWTH_BYTES = 32 * 2 ** 20
/** V8 and libuv open some for themselves when they are first used. */
const SPARE_DESCRIPTORS = 8
const SPARE_THREADS = 4

export class Resources {
  readonly #rssBytes: number[] = []
  readonly #before = census()
  readonly #filesBefore = new Set(openFiles())
  readonly #startedMs = performance.now()
  readonly #timer = setInterval(() => this.#rssBytes.push(process.memoryUsage.rss()), SAMPLE_MS)

  get peakRssBytes(): number {
    return Math.max(0, ...this.#rssBytes)
  }

  /** Stops sampling, at the end of the load. Returns what has grown. */
  growth(): string[] {
    clearInterval(this.#timer)
    const third = Math.floor(this.#rssBytes.length / 3)
    const [middle, last] = [this.#rssBytes.slice(third, 2 * third), this.#rssBytes.slice(2 * third)].map(
      median,
    )
    if (middle === undefined || last === undefined || performance.now() - this.#startedMs < LEAST_MS)
      return []
    return last > middle * GROWTH + GROWTH_BYTES
      ? [`resident memory grew from ${megabytes(middle)} to ${megabytes(last)}`]
      : []
  }

  /** Returns what is left after everything was closed. */
  leaks(): string[] {
    const [before, after] = [this.#before, census()]
    const leaks: string[] = []
    if (after.descriptors > before.descriptors + SPARE_DESCRIPTORS)
      leaks.push(`${before.descriptors} descriptors became ${after.descriptors}`)
    for (const file of openFiles()) if (!this.#filesBefore.has(file)) leaks.push(`${file} is still open`)
    if (after.threads > before.threads + SPARE_THREADS)
      leaks.push(`${before.threads} threads became ${after.threads}`)
    const handles = process
      .getActiveResourcesInfo()
      .filter((name) => name === 'MessagePort' || name === 'Worker')
    if (handles.length > 0) leaks.push(`there are handles: ${handles.join(', ')}`)
    return leaks
  }

  get summary(): Record<string, unknown> {
    const third = Math.floor(this.#rssBytes.length / 3)
    const of = (from: number, to?: number) => Math.round(median(this.#rssBytes.slice(from, to)) / 2 ** 20)
    return {
      rssMiB: {
        middleThird: of(third, 2 * third),
        lastThird: of(2 * third),
        peak: Math.round(this.peakRssBytes / 2 ** 20),
      },
      before: this.#before,
      after: census(),
    }
  }
}

/** Zero on systems without /proc. */
function census(): { readonly descriptors: number; readonly threads: number } {
  return { descriptors: names('/proc/self/fd').length, threads: names('/proc/self/task').length }
}

/** Open files with a path. None of these may be left over. */
function openFiles(): string[] {
  return names('/proc/self/fd').flatMap((name) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${name}`)
      return path.startsWith('/') ? [path] : []
    } catch {
      // The descriptor with which the directory itself was read.
      return []
    }
  })
}

function names(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}

function median(samples: readonly number[]): number {
  return [...samples].sort((a, b) => a - b)[samples.length >> 1] ?? 0
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`
}
