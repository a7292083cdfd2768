// Attacks of level L2: JavaScript in a slot's thread, run inside an import as if the import had a vulnerability. The seal rejects what it
// should, the code can damage only its own thread, and the main thread and other sessions continue.
import { expect } from 'vitest'
import { Arena, attacksOf, testEach } from './support/corpus.js'
import type { Attack } from './support/header.js'
import { expectAllRefused, expectContained, expectOutcome, expectStateKept } from './support/judge.js'
import type { Step } from './support/steps.js'

const attacks = attacksOf('L2')
const isOnImage = (attack: Attack) => attack.class === 'shared-image'

/** Python that opens the attack's file, which runs the attack. */
function trigger({ id }: Attack): Step {
  return { code: `try: open('/tmp/.attack/${id}')\nexcept FileNotFoundError: pass` }
}

// Attacks on the image come last, because what they change stays changed for the later slots of their process.
testEach(
  [...attacks.filter((attack) => !isOnImage(attack)), ...attacks.filter(isOnImage)],
  (all) => Arena.open('watched', all),
  async (arena, attack) => {
    if (isOnImage(attack)) return expectNoChangeOfImage(arena, attack)
    const output = expectContained(await arena.run(attack, [trigger(attack)]), attack, arena.witness)
    expectStateKept(output, attack)
    if (attack.expect.some(({ kind }) => kind === 'refused')) expectAllRefused(output, attack)
    else expectOutcome(output, attack)
  },
)

/** The guard may continue or end the interpreter, but must not compute with changed data. */
async function expectNoChangeOfImage(arena: Arena, attack: Attack): Promise<void> {
  const look = { code: 'import sys; sys.copyright' }
  const result = await arena.run(attack, [trigger(attack), { reset: true }, look])
  if (result.kind !== 'done') throw new Error(`the process ${result.kind}: ${JSON.stringify(result)}`)
  expect(result.state.uncaught).toEqual([])
  const { steps } = result.output
  for (const step of steps) if (step.kind === 'error') expect(step.typed).toBe(true)
  expect(JSON.stringify(steps)).not.toContain('Pwned')
}
