// A group of rows: a file of groups/, run in a fresh process for each peer and round.
import type { Peer } from './peer.js'
import type { Samples } from './samples.js'

const WARM_UPS_AHEAD = 6

export interface RowSpec {
  /** Unique in its group. */
  readonly id: string
  readonly title: string
  readonly unit: 'ms' | 's' | 'KB' | 'MiB' | 'per s' | `of ${number}`
  /** Cold: the first in a process, before anything is compiled or cached. */
  readonly state: 'cold' | 'warm'
  /** After `minus` has been subtracted, a sample is divided by this. */
  readonly divide?: number
  readonly minus?: number
  readonly note?: string
}

export interface Group {
  readonly name: string
  readonly title: string
  /** Maximum number of rounds: what takes long, or varies little, needs fewer. */
  readonly rounds: number
  /** Number of sessions that are open at the same time, if more than a few. */
  readonly sessions?: number
  /** A process that takes longer is ended; the rows that it has finished count. */
  readonly mostSeconds?: number
  /** Needs a directory of wheels. */
  readonly packages?: true
  readonly rows: readonly RowSpec[]
  measure(peer: Peer, samples: Samples): Promise<void>
}

/**
 * How many repetitions to leave out of a warm row: `count` where V8 compiles the code while it runs, which takes processor time beside the
 * first dozens, and a few elsewhere.
 */
export function warmUpsOf({ isCompiledAhead }: Peer, count: number): number {
  return isCompiledAhead ? Math.min(count, WARM_UPS_AHEAD) : count
}

/** Whether more is better. */
export function moreIsBetter({ unit }: Pick<RowSpec, 'unit'>): boolean {
  return unit === 'per s' || unit.startsWith('of ')
}

export const LEFT_OUT = 'left out: its sessions take seconds to boot'
