// What must hold after every attack, and whether an attack ended as its header says. Owns these assertions and their bounds.
import { expect } from 'vitest'
import type { CaseResult, ProcessState } from '../../security/support/child.js'
import type { Witness } from '../../security/support/witness.js'
import { scaled } from '../../support/slowness.mjs'
import type { Attack, Expectation } from './header.js'

/** Outcome of one call on the attacker's session, as reported by suite.mjs. */
export interface StepResult {
  readonly kind: 'result' | 'suspended' | 'error'
  readonly typed?: boolean
  readonly value?: string
  readonly repr?: string
  readonly stdout?: string
  readonly name?: string
  readonly code?: string
  readonly type?: string
  readonly outcome?: string
  readonly limit?: string
  readonly message?: string
  readonly messageLength?: number
  readonly peakMemoryBytes?: number
}

/** An entry in the journal of a watched slot. */
export type JournalEntry =
  | { readonly called: string; readonly argument: string }
  | { readonly name: string; readonly reached?: string; readonly refused?: string; readonly message?: string }
  | { readonly done: string }

export interface Output {
  readonly steps: readonly StepResult[]
  /** Results of `6 * 7` after the attack: once, and again if that failed. */
  readonly looks: readonly StepResult[]
  /** The state from before the attack. Undefined if the worker is owned. */
  readonly kept?: StepResult
  readonly neighbours: readonly string[]
  readonly calls: readonly unknown[]
  readonly spied: readonly string[]
  readonly journal: readonly JournalEntry[]
  readonly baseline: Readonly<Record<string, number>>
  readonly counts: Readonly<Record<string, number>>
}

/** Error codes that any attacked call may end with. */
const TYPED = [
  ...['PYTHON', 'TIMEOUT', 'LIMIT', 'INTERPRETER_CRASHED', 'SNAPSHOT', 'CONVERSION', 'SESSION_SUSPENDED'],
]
/** CPU time of the main thread alone. Measured: up to 126. */
const MAX_TURN_MS = scaled(400)
/** Memory of the process with four unused slots. */
const IDLE_RSS_BYTES = 300 * 2 ** 20
const MAX_MESSAGE_LENGTH = 20_000
const KEPT = "[ 1, 'two' ]"

/** Fails if anything other than the attacker's own session was affected. */
export function expectContained(result: CaseResult<Output>, attack: Attack, witness: Witness): Output {
  if (result.kind !== 'done') throw new Error(`the process ${result.kind}: ${JSON.stringify(result)}`)
  const { output, state } = result
  expectUnharmed(state, attack.rssMib * 2 ** 20)
  for (const step of [...output.steps, ...output.looks, ...(output.kept ? [output.kept] : [])]) {
    if (step.kind === 'error') {
      expect(TYPED, JSON.stringify(step)).toContain(step.code)
      expect(step.typed, `an error of its own class: ${step.name}`).toBe(true)
      expect(step.messageLength, 'length of the message').toBeLessThan(MAX_MESSAGE_LENGTH)
    }
  }
  expect(
    output.looks.at(-1),
    `the session can be used again (S3): ${JSON.stringify(output.looks)}`,
  ).toMatchObject({ kind: 'result', value: '42' })
  expect(
    output.neighbours.filter((each) => each !== 'well'),
    'neighbours',
  ).toEqual([])
  expect(witness.leaksOf(JSON.stringify(output)), 'told to the attacker').toEqual([])
  expect(output.spied, 'watched functions of the main thread').toEqual([])
  const watched = output.journal.flatMap((entry) =>
    'called' in entry ? [`${entry.called} ${entry.argument}`] : [],
  )
  expect(watched, 'watched functions of a slot').toEqual([])
  const grown = Object.entries(output.counts).filter(([name, count]) => count > (output.baseline[name] ?? 0))
  expect(grown, `counts that did not come back to ${JSON.stringify(output.baseline)}`).toEqual([])
  return output
}

/** Fails if the manager's process was harmed. */
function expectUnharmed(state: ProcessState, rssBytes: number): void {
  expect(state.uncaught, 'uncaught on main').toEqual([])
  expect(state.polluted, 'prototypes of main').toEqual([])
  expect(state.longestTurnMs, 'work of main without a turn of its event loop, in ms').toBeLessThan(
    MAX_TURN_MS,
  )
  // Do not count garbage that earlier attacks left to V8's collector.
  const leftBytes = Math.max(0, state.startRssBytes - IDLE_RSS_BYTES)
  expect(state.peakRssBytes - leftBytes, 'resident memory').toBeLessThan(rssBytes)
}

/** Fails unless the state from before the attack is intact. Attacks marked `recover` may break their session until reset. */
export function expectStateKept(output: Output, attack: Attack): void {
  if (attack.recover) return
  const [first] = output.looks
  if (first?.kind === 'error' && first.code !== 'PYTHON')
    expect(first, 'found out by the call after').toMatchObject({
      code: 'INTERPRETER_CRASHED',
      outcome: 'restored',
    })
  expect(output.kept?.value, JSON.stringify(output)).toBe(KEPT)
}

/** Fails unless the last step ended as the header says. */
export function expectOutcome(output: Output, attack: Attack): void {
  const step = output.steps.at(-1)
  if (step === undefined) throw new Error('nothing ran')
  const met = attack.expect.some((expectation) => meets(step, expectation))
  const wanted = attack.expect.map(({ kind, rest }) => `${kind} ${rest}`.trim()).join(' | ')
  expect(met, `expected ${wanted}, got ${JSON.stringify(step)}`).toBe(true)
  if (attack.stdout !== undefined)
    for (const { stdout } of output.steps) expect(stdout ?? '').toBe(attack.stdout)
  if (attack.calls !== undefined) expect(output.calls).toEqual(attack.calls)
}

function meets(step: StepResult, { kind, rest }: Expectation): boolean {
  const oneOf = (name: string | undefined) => rest === '' || rest.split(' ').includes(name ?? '')
  switch (kind) {
    case 'any':
      return true
    case 'result':
      return step.kind === 'result' && (rest === '' || step.repr === rest || step.value === rest)
    case 'error':
      return step.kind === 'error'
    case 'python':
      return step.code === 'PYTHON' && oneOf(step.type)
    case 'timeout':
      return step.code === 'TIMEOUT' && oneOf(step.outcome)
    case 'limit':
      return step.code === 'LIMIT' && oneOf(step.limit)
    case 'crash':
      return step.code === 'INTERPRETER_CRASHED' && oneOf(step.outcome)
    case 'refused':
      return false
  }
}

/** Fails unless every attempt of an attack in a slot's thread threw one of the errors named in the header. */
export function expectAllRefused(output: Output, attack: Attack): void {
  const names = attack.expect.flatMap(({ kind, rest }) => (kind === 'refused' ? rest.split(' ') : []))
  const attempts = output.journal.flatMap((entry) => ('name' in entry ? [entry] : []))
  expect(attempts.length, 'the attack ran').toBeGreaterThan(0)
  const others = attempts.filter(({ refused }) => refused === undefined || !names.includes(refused))
  expect(others, 'attempts that were not refused').toEqual([])
}
