// Attacks of level L1 that try to escape from the sandbox: to the host's processes, files, network, facts and JavaScript. Each also runs
// in a session whose patches are undone, and those that escape from plain Pyodide must succeed there.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Child } from '../security/support/child.js'
import { Witness } from '../security/support/witness.js'
import { Arena, attacksOf, testEach } from './support/corpus.js'
import { type Attack, readPrelude } from './support/header.js'
import { expectContained, expectOutcome, expectStateKept, type Output } from './support/judge.js'
import { placeOf, type Step, stepsOf } from './support/steps.js'

const attacks = attacksOf('L1', [
  ...['host-processes', 'host-code', 'host-files', 'host-network', 'host-facts', 'javascript-objects'],
])

async function attack(arena: Arena, given: Attack, before: readonly Step[]): Promise<Output> {
  const run = `${given.id}-${before.length}`
  const { witness } = arena
  const { connections } = witness
  const steps = [...before, ...stepsOf(given, placeOf(witness, run))]
  const output = expectContained(await arena.run(given, steps), given, witness)
  expect(escaped(witness, given, run, connections, JSON.stringify(output.steps)), 'it got out').toBe(false)
  return output
}

testEach(
  attacks,
  () => Arena.open('watched'),
  async (arena, given) => {
    const output = await attack(arena, given, [])
    expectStateKept(output, given)
    expectOutcome(output, given)
    expect(arena.witness.leaksOf(arena.output), 'written by the process').toEqual([])
    // No defence may depend on patches that Python code can undo.
    if (given.control === 'pyodide') {
      const [undone] = (await attack(arena, given, [{ code: readPrelude('undo-patches') }])).steps
      expect(undone?.kind, 'the patches were undone').toBe('result')
    }
  },
)

describe('controls: in plain Pyodide the same code escapes', () => {
  let witness: Witness
  let plain: Child<string, string>
  beforeAll(async () => {
    witness = await Witness.open()
    plain = new Child('plain', { canary: witness.canary })
  })
  afterAll(async () => {
    await plain?.close()
    witness?.close()
  })

  it.each(attacks.filter(({ control }) => control === 'pyodide'))('$id', async (given) => {
    const run = `plain-${given.id}`
    const { connections } = witness
    const result = await plain.run(`${placeOf(witness, run)}\n${given.code}`)
    if (result.kind !== 'done') throw new Error(JSON.stringify(result))
    expect(escaped(witness, given, run, connections, result.output), result.output).toBe(true)
  })
})

/** Whether the attack escaped, judging by its output and by what it left behind. */
function escaped(witness: Witness, { evidence }: Attack, run: string, connections: number, told: string) {
  switch (evidence) {
    case 'marker':
      return witness.marked(run)
    case 'connection':
      return witness.connections > connections
    case 'reached':
      return told.includes('reached')
    case 'leak':
    case undefined:
      return witness.leaksOf(told).length > 0
  }
}
