// Runs attacks of the corpus as tests, with one child process per group. Owns those processes; judge.ts owns the assertions.
import { afterAll, beforeAll, describe, it } from 'vitest'
import { Child } from '../../security/support/child.js'
import { Witness } from '../../security/support/witness.js'
import { scaled } from '../../support/slowness.mjs'
import { AttackedBuild, type BuildSetup } from './build.js'
import { type Attack, readCorpus } from './header.js'
import type { Output } from './judge.js'
import type { Step } from './steps.js'

export interface Case {
  readonly steps: readonly Step[]
  readonly timeoutMs: number
  readonly limits: Attack['limits']
  readonly env: Attack['env']
  readonly recover: boolean
  /** Whether to wait for the report of an attack in a slot's thread. */
  readonly reports: boolean
}

const MIB = 2 ** 20
/** The child is ended at this size, to protect the machine. */
const MAX_RSS_BYTES = 3000 * MIB
const OLD_SPACE_MIB = 512
/** Time in addition to the attack's own deadline, for the steps before and after it, and for counts to settle. */
const ROOM_MS = 40_000

/** A child process with a manager on a copy of the build, and a witness with the secrets that attacks look for. */
export class Arena {
  readonly witness: Witness
  readonly #build: AttackedBuild
  readonly #child: Child<Case, Output>

  private constructor(witness: Witness, build: AttackedBuild, slots: BuildSetup['slots']) {
    this.witness = witness
    this.#build = build
    this.#child = new Child(new URL('suite.mjs', import.meta.url).href, {
      canary: witness.canary,
      dist: build.dist,
      flags: [`--max-old-space-size=${OLD_SPACE_MIB}`],
      maxRssBytes: MAX_RSS_BYTES,
      setup: { journal: build.journal, slots },
    })
  }

  static async open(slots: BuildSetup['slots'], attacks: readonly Attack[] = []): Promise<Arena> {
    const witness = await Witness.open()
    const files = Object.fromEntries(attacks.map(({ id, path }) => [id, path]))
    return new Arena(witness, new AttackedBuild({ slots, canary: witness.canary, attacks: files }), slots)
  }

  /** Runs an attack's steps in a session with the options from its header. */
  run({ timeoutMs, limits, env, recover, level, expect }: Attack, steps: readonly Step[]) {
    const input = {
      steps,
      timeoutMs: scaled(timeoutMs),
      limits,
      env,
      recover,
      reports: level === 'L2' && expect.some(({ kind }) => kind === 'refused'),
    }
    return this.#child.run(input, timeoutMs * steps.length + ROOM_MS)
  }

  /** All output of the child process. */
  get output(): string {
    return this.#child.output
  }

  async close(): Promise<void> {
    await this.#child.close()
    this.#build.remove()
    this.witness.close()
  }
}

/** Attacks of a level and, if given, of some classes. */
export function attacksOf(level: Attack['level'], classes?: readonly string[]): readonly Attack[] {
  return readCorpus().filter(
    (attack) => attack.level === level && (classes === undefined || classes.includes(attack.class)),
  )
}

/** Makes a `describe` for each class of attacks, and an `it` for each attack. */
export function testEach(
  attacks: readonly Attack[],
  open: (attacks: readonly Attack[]) => Promise<Arena>,
  body: (arena: Arena, attack: Attack) => Promise<void>,
): void {
  let arena: Arena | undefined
  beforeAll(async () => {
    arena = await open(attacks)
  })
  afterAll(() => arena?.close())
  for (const name of new Set(attacks.map((attack) => attack.class))) {
    describe(name, () => {
      for (const attack of attacks.filter((each) => each.class === name))
        it(
          `${attack.id}: ${attack.title}`,
          async () => {
            if (arena === undefined) throw new Error('the arena is not open')
            await body(arena, attack)
          },
          2 * ROOM_MS + 4 * attack.timeoutMs,
        )
    })
  }
}
