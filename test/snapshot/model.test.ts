// C1, C7, B2: random programs of executions, snapshots, restores, forks, sleeps, clears, resets and kills, compared with a model that
// never freezes: a map of variables, and a copy of it for each snapshot.
import type { Session, SessionManager, Snapshot } from 'brumate'
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { sharedManager } from '../support/shared-manager.js'

type Model = { names: Map<string, number>; saved: Map<string, number>[]; count: number }
type Real = { manager: SessionManager; session: Session; snapshots: Snapshot[] }

let manager: SessionManager
beforeAll(async () => {
  manager = await sharedManager({ slots: 4 })
})

abstract class Step implements fc.AsyncCommand<Model, Real> {
  check(_: Readonly<Model>): boolean {
    return true
  }

  async run(model: Model, real: Real): Promise<void> {
    await this.act(model, real)
    model.count++
    const { value, executionCount } = await real.session.execute(
      '{k: (v() if callable(v) else v.n) for k, v in dict(globals()).items() if k.startswith("v_")}',
    )
    expect(value).toEqual(Object.fromEntries(model.names))
    expect(executionCount).toBe(model.count)
  }

  abstract act(model: Model, real: Real): Promise<void>
}

class Assign extends Step {
  constructor(
    readonly name: string,
    readonly value: number,
    readonly kind: number,
  ) {
    super()
  }

  /** The number is held by a closure, an instance or its class. */
  override async act(model: Model, { session }: Real) {
    const { name, value } = this
    const code = [
      `def make(n):\n    def look(): return n\n    return look\n${name} = make(${value}); del make`,
      `class Box:\n    def __init__(self, n): self.n = n\n${name} = Box(${value}); del Box`,
      `${name} = type('B', (), {'n': ${value}})(); junk = [bytes(100) for _ in range(2000)]; del junk`,
    ][this.kind]
    await session.execute(code ?? '')
    model.names.set(name, value)
    model.count++
  }

  override toString() {
    return `${this.name} = ${this.value}`
  }
}

class Fail extends Step {
  override async act(model: Model, { session }: Real) {
    await expect(session.execute('v_failed = (lambda: 1)\nraise ValueError')).rejects.toThrow()
    model.names.set('v_failed', 1)
    model.count++
  }

  override toString() {
    return 'fail'
  }
}

class Save extends Step {
  override async act(model: Model, { session, snapshots }: Real) {
    snapshots.push(await session.snapshotState())
    model.saved.push(new Map(model.names))
  }

  override toString() {
    return 'snapshot'
  }
}

class Restore extends Step {
  constructor(readonly which: number) {
    super()
  }

  override check({ saved }: Readonly<Model>) {
    return saved.length > 0
  }

  override async act(model: Model, { session, snapshots }: Real) {
    const index = this.which % snapshots.length
    const snapshot = snapshots[index]
    if (snapshot) await session.restoreState(this.which % 2 === 0 ? snapshot : snapshot.toBytes())
    model.names = new Map(model.saved[index])
  }

  override toString() {
    return `restore(${this.which})`
  }
}

class Fork extends Step {
  constructor(readonly which: number) {
    super()
  }

  override check({ saved }: Readonly<Model>) {
    return saved.length > 0
  }

  override async act(model: Model, { manager, snapshots }: Real) {
    const index = this.which % snapshots.length
    const snapshot = snapshots[index]
    if (snapshot === undefined) return
    await using fork = await manager.createSession({ tenant: 'model', from: snapshot })
    await fork.execute('for k in list(globals()):\n    if k.startswith("v_"): del globals()[k]')
    expect(model.saved[index]).toBeDefined()
  }

  override toString() {
    return `fork(${this.which})`
  }
}

class Sleep extends Step {
  override async act(_: Model, { session }: Real) {
    await session.hibernate()
    expect(session.state).toBe('dormant')
  }

  override toString() {
    return 'hibernate'
  }
}

class Clear extends Step {
  override async act(model: Model, { session }: Real) {
    await session.clearState()
    model.names.clear()
  }

  override toString() {
    return 'clear'
  }
}

class Reset extends Step {
  override async act(model: Model, { session }: Real) {
    await session.reset()
    model.names.clear()
    model.count = 0
  }

  override toString() {
    return 'reset'
  }
}

class Kill extends Step {
  override async act(model: Model, { session }: Real) {
    const code = 'v_never = lambda: 1\nsum(range(10**12))'
    await expect(session.execute(code, { timeoutMs: 40 })).rejects.toMatchObject({ outcome: 'restored' })
    model.count++
  }

  override toString() {
    return 'kill'
  }
}

const name = fc.constantFrom('v_a', 'v_b', 'v_c')
const commands = [
  fc.tuple(name, fc.nat(1000), fc.nat(2)).map(([variable, value, kind]) => new Assign(variable, value, kind)),
  fc.constant(new Fail()),
  fc.constant(new Save()),
  fc.nat(20).map((which) => new Restore(which)),
  fc.nat(20).map((which) => new Fork(which)),
  fc.constant(new Sleep()),
  fc.constant(new Clear()),
  fc.constant(new Reset()),
  fc.constant(new Kill()),
]

test('C1, C7, B2: a session that is frozen, thawed, forked and killed behaves like one that never was', async () => {
  await fc.assert(
    fc.asyncProperty(fc.commands(commands, { maxCommands: 16, size: 'max' }), async (program) => {
      await using session = await manager.createSession({ tenant: 'model', limits: { interruptGraceMs: 0 } })
      await fc.asyncModelRun(
        () => ({
          model: { names: new Map(), saved: [], count: 0 },
          real: { manager, session, snapshots: [] },
        }),
        program,
      )
    }),
    { numRuns: 7, seed: 20_261_123, endOnFailure: true },
  )
}, 180_000)
