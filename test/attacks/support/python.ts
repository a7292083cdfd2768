// Runs classes of L1 attacks that do not try to reach the host. Owns what must hold for all of them.
import { expect } from 'vitest'
import { Arena, attacksOf, testEach } from './corpus.js'
import { expectContained, expectOutcome, expectStateKept } from './judge.js'
import { placeOf, stepsOf } from './steps.js'

export function testPython(classes: readonly string[]): void {
  testEach(
    attacksOf('L1', classes),
    () => Arena.open('watched'),
    async (arena, attack) => {
      const { witness } = arena
      const steps = stepsOf(attack, placeOf(witness, attack.id))
      const output = expectContained(await arena.run(attack, steps), attack, witness)
      expectStateKept(output, attack)
      expectOutcome(output, attack)
      const crashes = output.steps.filter(({ code }) => code === 'INTERPRETER_CRASHED')
      for (const { message } of crashes)
        expect(message, 'no error of our own JavaScript').not.toMatch(
          /is not (defined|a function)|Cannot read/,
        )
      expect(witness.leaksOf(arena.output), 'written by the process').toEqual([])
      expect(witness.marked(attack.id), 'a file of the host was made').toBe(false)
    },
  )
}
