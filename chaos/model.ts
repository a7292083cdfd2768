// The possible states of a session, derived from the outcomes of its calls: a set of candidates, because a lost worker may have been
// lost before or after a checkpoint. Owns the meaning of every outcome (S3). An empty set means that the state is wrong.
import type { ExecuteResult, PendingCall } from 'brumate'

/** The value of `T` in Python, and whether an execution waits for `resume`. */
export interface State {
  readonly sum: number
  readonly last: readonly number[]
  readonly items: Readonly<Record<string, number>>
  readonly file: number
  readonly waits: boolean
}

interface Candidate {
  readonly state: State
  /** The state that the session resumes from if its worker is lost; `undefined`: an empty one. */
  readonly checkpoint: State | undefined
  /** Whether the slot has changes that the checkpoint lacks. */
  readonly dirty: boolean
  readonly count: number
}

/** A state that a snapshot may contain, with its execution count. */
export type Origin = Pick<Candidate, 'state' | 'count'>

export type Settled<T = unknown> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: unknown }

/** The effect of a step of the code on the state. */
export type Step = (state: State) => State

export interface Execution {
  readonly name: string
  /** What the code does, step by step. An interrupted execution may have done any number of them. */
  readonly steps: readonly Step[]
  /** Class of the Python error with which the code ends. */
  readonly raises?: string
  /** Codes of errors that the driver's own actions may cause. */
  readonly may?: readonly string[]
  readonly resumes?: boolean
}

export const EMPTY: State = { sum: 0, last: [], items: {}, file: 0, waits: false }

interface Fields {
  readonly code?: unknown
  readonly outcome?: unknown
  readonly type?: unknown
}

export class WrongState extends Error {
  override readonly name = 'WrongState'
}

export class Model {
  #candidates: readonly Candidate[]
  readonly #manual: boolean
  readonly trail: string[] = []

  constructor(manual: boolean, from?: readonly Origin[]) {
    this.#manual = manual
    this.#candidates = from?.map(({ state, count }) => ({
      state,
      count,
      checkpoint: state,
      dirty: false,
    })) ?? [{ state: EMPTY, checkpoint: undefined, dirty: false, count: 0 }]
  }

  /** Whether only one state is possible now, whatever the checkpoint is. */
  get isCertain(): boolean {
    return new Set(this.#candidates.map(({ state, count }) => JSON.stringify([state, count]))).size === 1
  }

  get origins(): readonly Origin[] {
    return this.#candidates.map(({ state, count }) => ({ state, count }))
  }

  /** The possible contents of a snapshot taken after these steps. */
  originsAfter(steps: readonly Step[]): readonly Origin[] {
    return this.#candidates.map(({ state, count }) => ({ state: run(state, steps), count: count + 1 }))
  }

  execution(execution: Execution, settled: Settled<ExecuteResult>): void {
    const { name, steps, raises, may = [], resumes = false } = execution
    const counted = resumes ? 0 : 1
    /** After the start of the call, there is a checkpoint of the state before it. */
    const begun = (candidate: Candidate): Candidate[] => {
      if (candidate.state.waits !== resumes) return []
      return this.#protected(candidate).map((before) => ({ ...before, count: before.count + counted }))
    }
    const ended = (candidate: Candidate, many = steps.length) => ({
      ...candidate,
      state: run(resumes ? { ...candidate.state, waits: false } : candidate.state, steps.slice(0, many)),
      dirty: true,
    })
    const anywhere = (candidate: Candidate) =>
      begun(candidate).flatMap((before) =>
        Array.from({ length: steps.length + 1 }, (_, many) => {
          const after = ended(before, many)
          return { ...after, state: { ...after.state, waits: false } }
        }),
      )
    if (settled.ok) {
      const { status, value, executionCount } = settled.value
      const got = `${status} ${JSON.stringify(value)} #${executionCount}`
      if (raises !== undefined) throw this.#wrong(name, `${got} where it raises ${raises}`)
      return this.#become(name, got, (candidate) =>
        begun(candidate)
          .map((before) => ended(before))
          .filter(
            ({ state, count }) =>
              count === executionCount &&
              (status === 'suspended' ? state.waits : !state.waits && value === state.sum),
          ),
      )
    }
    const error = settled.error as Fields
    const told = describe(settled.error)
    switch (error.code) {
      case 'SESSION_SUSPENDED':
        return this.#become(name, told, (candidate) =>
          candidate.state.waits && !resumes ? this.#protected(candidate) : [],
        )
      case 'PYTHON':
        if (error.type === raises)
          return this.#become(name, told, (candidate) => begun(candidate).map((before) => ended(before)))
        if (may.includes('PYTHON') && error.type === 'KeyboardInterrupt')
          return this.#become(name, told, anywhere)
        throw this.#wrong(name, told)
      case 'TIMEOUT':
      case 'CANCELLED':
      case 'LIMIT':
        if (!may.includes(error.code)) throw this.#wrong(name, told)
        if (error.outcome === 'not-started') return this.#become(name, told, (candidate) => [candidate])
        if (error.outcome === 'interrupted') return this.#become(name, told, anywhere)
        return this.#become(name, told, (candidate) =>
          begun(candidate).flatMap((before) => this.#lost(before, error.outcome)),
        )
      case 'INTERPRETER_CRASHED':
        return this.#become(name, told, (candidate) => [
          ...this.#crashed(candidate, error.outcome),
          ...begun(candidate).flatMap((before) => this.#lost(before, error.outcome)),
        ])
      default:
        throw this.#wrong(name, told)
    }
  }

  /** A call that changes the state but is not an execution. */
  change(name: string, step: Step, settled: Settled): void {
    if (settled.ok)
      return this.#become(name, 'ok', (candidate) =>
        this.#protected(candidate).map((before) => ({ ...before, state: step(before.state), dirty: true })),
      )
    this.#expectCrash(name, settled.error)
    const { outcome } = settled.error as Fields
    this.#become(name, describe(settled.error), (candidate) => [
      ...this.#crashed(candidate, outcome),
      ...this.#protected(candidate).flatMap((before) => this.#lost(before, outcome)),
    ])
  }

  /** The current state is captured (`hibernate`, `snapshotState`). */
  capture(name: string, settled: Settled): void {
    if (settled.ok)
      return this.#become(name, 'ok', (candidate) =>
        // An empty session without changes has nothing to capture.
        candidate.checkpoint === undefined && !candidate.dirty && name === 'hibernate'
          ? [candidate]
          : [{ ...candidate, checkpoint: candidate.state, dirty: false }],
      )
    this.#lookCrashed(name, settled.error)
  }

  /** Reading the state changes nothing. `undefined`: there is no `T`. */
  look(settled: Settled, pending: readonly PendingCall[]): void {
    if (!settled.ok) {
      const { code, type } = settled.error as Fields
      if (code !== 'PYTHON' || type !== 'NameError') return this.#lookCrashed('look', settled.error)
    }
    const seen = settled.ok ? (settled.value as readonly unknown[]) : [0, [], {}, 0]
    const waits = pending.some(({ name }) => name === 'ask' || name === 'frozen')
    const got = JSON.stringify([...seen, waits])
    this.#become('look', got, (candidate) => {
      const { sum, last, items, file } = candidate.state
      return JSON.stringify([sum, last, items, file, candidate.state.waits]) === got ? [candidate] : []
    })
  }

  reset(settled: Settled): void {
    if (!settled.ok) this.#expectCrash('reset', settled.error)
    const fresh = { state: EMPTY, checkpoint: undefined, dirty: false, count: 0 }
    this.#become('reset', settled.ok ? 'ok' : describe(settled.error), () => [fresh])
  }

  restore(origins: readonly Origin[], settled: Settled): void {
    if (!settled.ok) return this.#lookCrashed('restore', settled.error)
    this.#become('restore', 'ok', ({ count }) =>
      origins.map(({ state }) => ({ state, checkpoint: state, dirty: false, count })),
    )
  }

  /** Checks the count that the session reports between two calls. */
  counted(executionCount: number): void {
    this.#become('executionCount', `${executionCount}`, (candidate) =>
      candidate.count === executionCount ? [candidate] : [],
    )
  }

  #lookCrashed(name: string, error: unknown): void {
    this.#expectCrash(name, error)
    const { outcome } = error as Fields
    this.#become(name, describe(error), (candidate) => this.#crashed(candidate, outcome))
  }

  #crashed(candidate: Candidate, outcome: unknown): Candidate[] {
    return outcome === 'not-started' ? [candidate] : this.#lost(candidate, outcome)
  }

  /** Before a call that may lose the worker, the state is checkpointed. With manual checkpoints it only may be, by an eviction. */
  #protected(candidate: Candidate): Candidate[] {
    if (!candidate.dirty) return [candidate]
    const taken = { ...candidate, checkpoint: candidate.state, dirty: false }
    return this.#manual ? [candidate, taken] : [taken]
  }

  #lost(candidate: Candidate, outcome: unknown): Candidate[] {
    const { state, checkpoint, dirty, count } = candidate
    const lost: Candidate[] = []
    // Restored: from the checkpoint, or nothing had been there. Reset: changes were lost without any checkpoint.
    if (checkpoint !== undefined || !dirty ? outcome === 'restored' : outcome === 'reset')
      lost.push({ state: checkpoint ?? EMPTY, checkpoint, dirty: false, count })
    // An idle session may have taken a checkpoint by itself, or have been evicted.
    if (dirty && outcome === 'restored') lost.push({ state, checkpoint: state, dirty: false, count })
    return lost
  }

  #expectCrash(name: string, error: unknown): void {
    if ((error as Fields | undefined)?.code !== 'INTERPRETER_CRASHED')
      throw this.#wrong(name, describe(error))
  }

  #become(name: string, outcome: string, next: (candidate: Candidate) => readonly Candidate[]): void {
    const found = new Map<string, Candidate>()
    for (const candidate of this.#candidates.flatMap(next)) found.set(JSON.stringify(candidate), candidate)
    if (found.size === 0) throw this.#wrong(name, outcome)
    this.#candidates = [...found.values()]
    this.trail.push(`${name}: ${outcome}`)
    if (this.trail.length > 12) this.trail.shift()
  }

  #wrong(name: string, outcome: string): WrongState {
    const lines = [
      `${name} came to: ${outcome}`,
      `where the session was (manual: ${this.#manual}):`,
      ...this.#candidates.map((candidate) => `  ${JSON.stringify(candidate)}`),
      'after:',
      ...this.trail.map((line) => `  ${line}`),
    ]
    return new WrongState(lines.join('\n'))
  }
}

function run(state: State, steps: readonly Step[]): State {
  return steps.reduce((before, step) => step(before), state)
}

export function describe(error: unknown): string {
  const { code, outcome, type } = error as Fields
  const message = error instanceof Error ? error.message : String(error)
  return `${String(code ?? error)} ${String(outcome ?? type ?? '')}: ${message.slice(0, 300)}`
}
