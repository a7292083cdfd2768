// Time for the interpreter: real time from the machine, and a monotonic clock that starts with the session and never runs
// backwards within it. Owns both clocks and the imports that read them; time-zone.ts owns calendars.
import { fail } from './errno.js'
import type { ImportFunction } from './guard.js'
import type { GuestMemory } from './guest-memory.js'

/** wasi clock ids: 0 real time, 1 monotonic. 2 and 3 are CPU time of process and thread; the monotonic clock serves both. */
const REALTIME = 0
const LAST_CLOCK = 3
/** Resolution of Date.now() and performance.now() in nanoseconds. */
const REALTIME_RESOLUTION = 1_000_000
const MONOTONIC_RESOLUTION = 1_000

const NANOSECONDS_PER_SECOND = 1_000_000_000

export class Clock {
  #startMs = performance.now()
  #latestMs = 0

  /** Continues the monotonic clock from `elapsedMs`, where the session that was restored into memory had left off. */
  restart(elapsedMs: number): void {
    this.#latestMs = elapsedMs
    this.#startMs = performance.now() - elapsedMs
  }

  realMs(): number {
    return Date.now()
  }

  monotonicMs(): number {
    const now = performance.now() - this.#startMs
    if (now > this.#latestMs) this.#latestMs = now
    return this.#latestMs
  }
}

export interface ClockContext {
  readonly memory: GuestMemory
  readonly clock: Clock
}

export function clockImports({ memory, clock }: ClockContext): Readonly<Record<string, ImportFunction>> {
  return {
    emscripten_date_now: () => clock.realMs(),
    emscripten_get_now: () => clock.monotonicMs(),
    clock_time_get: (id: number, _precision: bigint, result: number) => {
      if (id >>> 0 > LAST_CLOCK) fail('EINVAL')
      const milliseconds = id === REALTIME ? clock.realMs() : clock.monotonicMs()
      const seconds = Math.floor(milliseconds / 1000)
      const nanoseconds = Math.round((milliseconds - seconds * 1000) * 1_000_000)
      // Computes 64 bits of nanoseconds in two exact halves: a BigInt would allocate at each read of the clock.
      const high = Math.floor(seconds / 65_536) * NANOSECONDS_PER_SECOND
      const low = (high % 65_536) * 65_536 + (seconds % 65_536) * NANOSECONDS_PER_SECOND + nanoseconds
      const carry = Math.floor(low / 2 ** 32)
      memory.setU64(result, low - carry * 2 ** 32, Math.floor(high / 65_536) + carry)
      return 0
    },
    clock_res_get: (id: number, result: number) => {
      if (id >>> 0 > LAST_CLOCK) fail('EINVAL')
      memory.setI64(result, id === REALTIME ? REALTIME_RESOLUTION : MONOTONIC_RESOLUTION)
      return 0
    },
  }
}
