// Checks that must hold after every attack. Owns the assertions and their bounds.
import { expect } from 'vitest'
import type { CaseResult, ProcessState } from './child.js'
import type { Witness } from './witness.js'

/** One step of an attacker, as suites/sandbox.mjs reports it. */
export interface StepResult {
  readonly kind: 'result' | 'error'
  readonly value?: string
  readonly repr?: string
  readonly stdout?: string
  readonly stderr?: string
  readonly stdoutLength?: number
  readonly peakMemoryBytes?: number
  readonly name?: string
  readonly code?: string
  readonly type?: string
  readonly outcome?: string
  readonly limit?: string
  readonly message?: string
}

export interface SandboxCase {
  /** Code, or another call on the session. */
  readonly steps: readonly (
    | string
    | { readonly code: string; readonly timeoutMs: number }
    | { readonly get: string }
    | { readonly reset: true }
  )[]
  readonly timeoutMs?: number
  readonly limits?: Readonly<Record<string, number | null>>
  readonly env?: Readonly<Record<string, string>>
  /** The attack breaks its own session, which then only has to work after `reset`. */
  readonly recover?: boolean
}

export interface SandboxOutput {
  readonly steps: readonly StepResult[]
  readonly after: StepResult
  readonly sibling: StepResult
}

/** Codes of the errors that may end a call on a session. */
const TYPED = ['PYTHON', 'TIMEOUT', 'LIMIT', 'INTERPRETER_CRASHED']
/** Processor time; other processes and threads do not count. */
const MAX_TURN_MS = 1000

/** Fails if anything but the attacker's own session was affected. Returns the results of the attacker's steps. */
export function expectContained(result: CaseResult<SandboxOutput>, witness?: Witness): readonly StepResult[] {
  if (result.kind !== 'done') throw new Error(`main ${result.kind}: ${JSON.stringify(result)}`)
  const { output, state } = result
  expectUnharmed(state)
  expect(output.after, 'the session can be used again (S3)').toMatchObject({ kind: 'result', value: '42' })
  expect(output.sibling, 'a sibling still answers').toMatchObject({ kind: 'result', value: '42' })
  for (const step of output.steps) {
    if (step.kind === 'error') expect(TYPED, JSON.stringify(step)).toContain(step.code)
  }
  if (witness) expect(witness.leaksOf(JSON.stringify(output)), 'told to the attacker').toEqual([])
  return output.steps
}

/** Fails if the process that holds the manager was affected. */
export function expectUnharmed(state: ProcessState): void {
  expect(state.uncaught, 'uncaught on main').toEqual([])
  expect(state.polluted, 'prototypes of main').toEqual([])
  expect(state.longestTurnMs, 'work of main without a turn of its event loop, in ms').toBeLessThan(
    MAX_TURN_MS,
  )
}
