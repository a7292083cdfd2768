// Attacks of level L3: a compromised worker that sends arbitrary messages to the real main thread. Calls of its session end with typed
// errors, and the main thread, its prototypes and handles, and other sessions are unaffected.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Child } from '../security/support/child.js'
import { AttackedBuild } from './support/build.js'
import { Arena, attacksOf, testEach } from './support/corpus.js'
import { expectContained, expectOutcome } from './support/judge.js'

const attacks = attacksOf('L3').filter((attack) => attack.class !== 'snapshot-files')
/** Limit for the message of an error that a hostile worker could influence. */
const MAX_MESSAGE_LENGTH = 3000

testEach(
  attacks,
  (all) => Arena.open('owned', all),
  async (arena, attack) => {
    // A normal call before the attack, and one queued behind it: it runs on the same slot if that survives, or else on another.
    const steps = [{ code: '6 * 7', timeoutMs: 15_000 }, { code: attack.id }, { code: '6 * 7' }]
    const output = expectContained(await arena.run(attack, steps), attack, arena.witness)
    const [, step, behind] = output.steps
    if (step === undefined || behind === undefined) throw new Error('nothing ran')
    expectOutcome({ ...output, steps: [step] }, attack)
    if (behind.kind !== 'error') expect(behind).toMatchObject({ kind: 'result', value: '42' })
    for (const { message = '', messageLength = 0 } of [step, behind]) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: the test looks for control characters
      expect(message).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/)
      expect(messageLength).toBeLessThan(MAX_MESSAGE_LENGTH)
    }
  },
)

describe('S1: a worker that has served one tenant never serves another', () => {
  let build: AttackedBuild
  let tenants: Child<{ first: string; second: string }, { repr?: string }>
  beforeAll(() => {
    const files = Object.fromEntries(attacks.map(({ id, path }) => [id, path]))
    build = new AttackedBuild({ slots: 'owned', canary: '', attacks: files })
    tenants = new Child('tenants', { dist: build.dist })
  })
  afterAll(async () => {
    await tenants?.close()
    build?.remove()
  })

  it.each(['task-finish', 'task-finish-all', 'exit', 'request-set-proto', 'close-port'])(
    'S1: after %s the next tenant gets a fresh thread',
    async (name) => {
      const result = await tenants.run({ first: `${name} secret`, second: 'whose' })
      expect(result).toMatchObject({ kind: 'done', output: { repr: 'nothing' }, state: { uncaught: [] } })
    },
  )
})
