// Attacks of level L3: a worker that is owned and sends what it likes. The main thread is the real one, the worker is not. The session
// that it serves ends typed, and main, its prototypes, its handles and the neighbours are as before.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Child } from '../security/support/child.js'
import { AttackedBuild } from './support/build.js'
import { Arena, attacksOf, testEach } from './support/corpus.js'
import { expectContained, expectOutcome } from './support/judge.js'

const attacks = attacksOf('L3').filter((attack) => attack.class !== 'snapshot-files')
/** Of an error that a hostile worker had a say in. */
const MAX_MESSAGE_LENGTH = 3000

testEach(
  attacks,
  (all) => Arena.open('owned', all),
  async (arena, attack) => {
    // An honest call before it, and one that waits behind it: on the same slot if that lived on, else on another.
    const steps = ['6 * 7', attack.id, '6 * 7'].map((code) => ({ code }))
    const output = expectContained(await arena.run(attack, steps), attack, arena.witness)
    const [, step, behind] = output.steps
    if (step === undefined || behind === undefined) throw new Error('nothing ran')
    expectOutcome({ ...output, steps: [step] }, attack)
    if (behind.kind !== 'error') expect(behind).toMatchObject({ kind: 'result', value: '42' })
    for (const { message = '', messageLength = 0 } of [step, behind]) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
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
    'S1: after %s the next tenant meets a fresh thread',
    async (name) => {
      const result = await tenants.run({ first: `${name} secret`, second: 'whose' })
      expect(result).toMatchObject({ kind: 'done', output: { repr: 'nothing' }, state: { uncaught: [] } })
    },
  )
})
