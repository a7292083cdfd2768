// One user of the pool: has one session after another, and gives each random calls, one at a time or several at once. Every outcome must
// fit a model. Owns the calls and their watchdog; faults.ts disturbs the workers meanwhile.
import type { ExecuteResult, Session, SessionManager, Snapshot } from 'brumate'
import { CALLBACK_TIMEOUT_MS, type ChaosCallbacks, type Frozen } from './callbacks.js'
import { describe, EMPTY, Model, type Origin, type Settled, WrongState } from './model.js'
import { type Program, program, resumption } from './python.js'
import type { Random } from './random.js'

/** Far longer than every timeout of a run: a call that has not settled by then never will. */
const WATCHDOG_MS = 90_000
const SESSION_TIMEOUT_MS = 30_000
const MAX_SNAPSHOTS = 4

/** Faults came so fast that no interpreter could load the session: it is closed, and its user opens another one. */
class GivenUp extends Error {}
const GIVEN_UP = /interpreters in a row ended while loading it/

export interface Counts {
  calls: number
  sessions: number
  /** Sessions that were closed because three interpreters in a row ended while they loaded them. */
  givenUp: number
  /** Number of outcomes, by error and outcome. */
  readonly outcomes: Record<string, number>
  /** Number of calls, by kind. */
  readonly kinds: Record<string, number>
}

interface Kept {
  readonly snapshot: Snapshot
  readonly origins: readonly Origin[]
}

export interface DriverOptions {
  readonly manager: SessionManager
  readonly fromBytes: (bytes: Uint8Array) => Snapshot
  readonly random: Random
  readonly callbacks: ChaosCallbacks
  readonly tenant: string
  readonly counts: Counts
}

export class Driver {
  readonly #options: DriverOptions
  readonly #random: Random
  readonly #snapshots: Kept[] = []
  #session: Session | undefined
  #model = new Model(false)
  #frozen: Frozen | undefined
  #stopping = false
  busyWith = ''

  constructor(options: DriverOptions) {
    this.#options = options
    this.#random = options.random
  }

  stop(): void {
    this.#stopping = true
  }

  froze(frozen: Frozen): void {
    if (frozen.session === this.#session?.id) this.#frozen = frozen
  }

  /** Runs until `stop`; then checks the session a last time, and closes it. @throws WrongState */
  async run(): Promise<void> {
    while (!this.#stopping) {
      await this.#unlessGivenUp(async () => {
        const session = this.#session ?? (await this.#open())
        if (session !== undefined) await this.#act(session)
      })
      if (this.#random.chance(0.2)) await sleep(this.#random.integer(0, 60))
    }
    await this.#unlessGivenUp(async () => {
      while (this.#session && !(await this.#look(this.#session)));
    })
    await this.#close()
  }

  async #unlessGivenUp(act: () => Promise<void>): Promise<void> {
    try {
      await act()
    } catch (error) {
      if (!(error instanceof GivenUp)) throw error
      this.#options.counts.givenUp++
      this.#session = undefined
    }
  }

  async #open(): Promise<Session | undefined> {
    const { manager, tenant, callbacks, counts } = this.#options
    const from = this.#random.chance(0.3) ? this.#kept() : undefined
    const manual = this.#random.chance(0.25)
    const opened = await this.#settle(
      'create',
      manager.createSession({
        tenant,
        callbacks: callbacks.all,
        checkpoint: manual ? 'manual' : 'auto',
        executionTimeoutMs: SESSION_TIMEOUT_MS,
        limits: {
          interruptGraceMs: this.#random.pick([0, 20, 100]),
          callbackTimeoutMs: CALLBACK_TIMEOUT_MS,
          outputBytes: 2 ** 20,
          memoryBytes: 128 * 2 ** 20,
        },
        ...(from ? { from: from.snapshot } : {}),
      }),
    )
    if (!opened.ok) {
      const { code } = opened.error as { code?: unknown }
      if (code !== 'INTERPRETER_CRASHED') throw new WrongState(`create came to: ${describe(opened.error)}`)
      return undefined
    }
    counts.sessions++
    this.#session = opened.value
    this.#model = new Model(manual, from?.origins)
    return opened.value
  }

  async #close(): Promise<void> {
    const session = this.#session
    this.#session = undefined
    if (session === undefined) return
    const { ok } = await this.#settle('close', session.close())
    if (!ok || session.state !== 'closed') throw new WrongState('close did not close')
  }

  async #act(session: Session): Promise<void> {
    const random = this.#random
    if (session.pending.some(({ name }) => name === 'ask' || name === 'frozen') && random.chance(0.7))
      return this.#resume(session)
    const kind = random.weighted([
      { weight: 40, act: () => this.#execute(session) },
      { weight: 8, act: () => this.#burst(session) },
      { weight: 8, act: () => this.#look(session) },
      { weight: 6, act: () => this.#hibernate(session) },
      { weight: 5, act: () => this.#snapshot(session) },
      { weight: 5, act: () => this.#restore(session) },
      { weight: 2, act: () => this.#clear(session) },
      { weight: 2, act: () => this.#reset(session) },
      { weight: 2, act: () => this.#setCallbacks(session) },
      { weight: 1, act: () => this.#close() },
    ])
    await kind.act()
    if (!this.#model.isCertain && this.#session) await this.#look(session)
    if (this.#session) this.#model.counted(session.executionCount)
  }

  async #execute(session: Session): Promise<void> {
    const chosen = program(this.#random)
    this.#frozen = undefined
    const controller = new AbortController()
    const running = this.#settle(chosen.name, this.#start(session, chosen, controller.signal))
    const disturbance = chosen.disturbed ? this.#disturb(session, chosen.disturbed, controller) : undefined
    const settled = await running
    await disturbance
    if (chosen.disturbed === 'close') return
    await this.#keepFrozen(chosen)
    this.#model.execution(chosen, settled)
  }

  #start(session: Session, { code, timeoutMs, disturbed }: Program, signal: AbortSignal) {
    return session.execute(code, {
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      ...(disturbed === 'abort' ? { signal } : {}),
    })
  }

  async #disturb(session: Session, how: string, controller: AbortController): Promise<void> {
    await sleep(this.#random.integer(0, 60))
    if (how === 'abort') controller.abort()
    else if (how === 'close') await this.#close()
    else await this.#settle('interrupt', session.interrupt())
  }

  /** Keeps a snapshot taken during an execution like any other. In it, the execution waits. */
  async #keepFrozen({ steps, frozenAfter }: Program): Promise<void> {
    const frozen = this.#frozen
    if (frozen === undefined || frozenAfter === undefined) return
    const settled = await this.#settle('freeze', frozen.snapshot)
    if (!settled.ok) return
    const origins = this.#model
      .originsAfter(steps.slice(0, frozenAfter))
      .map(({ state, count }) => ({ state: { ...state, waits: true }, count }))
    this.#keep(settled.value, origins)
  }

  /** Makes several calls at once. They must run one after the other. */
  async #burst(session: Session): Promise<void> {
    const programs = Array.from({ length: this.#random.integer(2, 5) }, () => program(this.#random)).filter(
      ({ disturbed, frozenAfter }) => disturbed === undefined && frozenAfter === undefined,
    )
    const calls = programs.map((chosen) => {
      return this.#settle(`burst ${chosen.name}`, this.#start(session, chosen, new AbortController().signal))
    })
    const settled = await Promise.all(calls)
    for (const [index, chosen] of programs.entries())
      this.#model.execution(chosen, settled[index] as Settled<ExecuteResult>)
  }

  async #resume(session: Session): Promise<void> {
    const amount = this.#random.integer(1, 1000)
    const waiting = session.pending.filter(({ name }) => name === 'ask' || name === 'frozen')
    const results = Object.fromEntries(waiting.map(({ id }) => [id, amount]))
    this.#model.execution(resumption(amount), await this.#settle('resume', session.resume({ results })))
  }

  /** Checks the session's state. False if it could not be read. */
  async #look(session: Session): Promise<boolean> {
    const settled = await this.#settle('look', session.get('T'))
    this.#model.look(settled, session.pending)
    return settled.ok || (settled.error as { code?: unknown }).code === 'PYTHON'
  }

  async #hibernate(session: Session): Promise<void> {
    this.#model.capture('hibernate', await this.#settle('hibernate', session.hibernate()))
  }

  async #snapshot(session: Session): Promise<void> {
    const settled = await this.#settle('snapshot', session.snapshotState())
    this.#model.capture('snapshot', settled)
    if (settled.ok) this.#keep(settled.value, this.#model.origins)
  }

  async #restore(session: Session): Promise<void> {
    const kept = this.#kept()
    if (kept === undefined) return
    const { snapshot, origins } = kept
    const given = this.#random.chance(0.5) ? snapshot : snapshot.toBytes()
    this.#model.restore(origins, await this.#settle('restore', session.restoreState(given)))
  }

  async #clear(session: Session): Promise<void> {
    this.#model.change('clear', () => EMPTY, await this.#settle('clear', session.clearState()))
  }

  async #reset(session: Session): Promise<void> {
    this.#model.reset(await this.#settle('reset', session.reset()))
  }

  async #setCallbacks(session: Session): Promise<void> {
    const settled = await this.#settle('setCallbacks', session.setCallbacks(this.#options.callbacks.all))
    this.#model.change('setCallbacks', (state) => state, settled)
  }

  #keep(snapshot: Snapshot, origins: readonly Origin[]): void {
    const kept = this.#random.chance(0.5) ? this.#options.fromBytes(snapshot.toBytes()) : snapshot
    this.#snapshots.push({ snapshot: kept, origins })
    if (this.#snapshots.length > MAX_SNAPSHOTS) this.#snapshots.shift()
  }

  #kept(): Kept | undefined {
    return this.#snapshots.length === 0 ? undefined : this.#random.pick(this.#snapshots)
  }

  /** Waits for a call to settle (S2). @throws WrongState if it does not */
  async #settle<T>(kind: string, call: Promise<T>): Promise<Settled<T>> {
    const { counts } = this.#options
    counts.calls++
    counts.kinds[kind] = (counts.kinds[kind] ?? 0) + 1
    this.busyWith = kind
    let timer: NodeJS.Timeout | undefined
    const unsettled = new Promise<never>((_, reject) => {
      const error = new WrongState(
        `${kind} has not settled within ${WATCHDOG_MS} ms\n${this.#model.trail.join('\n')}`,
      )
      timer = setTimeout(() => reject(error), WATCHDOG_MS)
    })
    const settled: Promise<Settled<T>> = call.then(
      (value) => ({ ok: true, value }),
      (error: unknown) => ({ ok: false, error }),
    )
    try {
      const came = await Promise.race([settled, unsettled])
      const { code, outcome, type } = came.ok ? {} : (came.error as Record<string, unknown>)
      const told = came.ok ? 'ok' : [code, outcome ?? type].filter(Boolean).join(' ')
      counts.outcomes[told] = (counts.outcomes[told] ?? 0) + 1
      if (code === 'SESSION_CLOSED' && GIVEN_UP.test(describe((came as { error?: unknown }).error)))
        throw new GivenUp()
      return came
    } finally {
      clearTimeout(timer)
    }
  }
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
