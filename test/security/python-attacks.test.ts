// ATTACKS.md A, attacker level L1: what gets from Python to the host in plain Pyodide gets nowhere in a session. Every
// attack has its negative control: the same code, run by `loadPyodide()` in a process of its own, does get out.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ATTACKS, type Attack, escaped, placeOf, UNDO_PATCHES } from './support/attacks.js'
import { Child } from './support/child.js'
import { expectContained, type SandboxCase, type SandboxOutput } from './support/contained.js'
import { Witness } from './support/witness.js'

let witness: Witness
let sandbox: Child<SandboxCase, SandboxOutput>
let plain: Child<string, string>

beforeAll(async () => {
  witness = await Witness.open()
  sandbox = new Child('sandbox', { canary: witness.canary })
  plain = new Child('plain', { canary: witness.canary })
})

afterAll(async () => {
  await Promise.all([sandbox?.close(), plain?.close()])
  witness?.close()
})

describe.each(ATTACKS.map((attack, index) => ({ ...attack, index })))('$id: $claim', (attack) => {
  it('in a session', () => expectNoEscape(attack, attack.index, []))

  it('in a session whose patches are undone and whose modules are made again (A8, A9)', () =>
    expectNoEscape(attack, attack.index, [UNDO_PATCHES]))

  it('control: it succeeds in plain Pyodide', async () => {
    const run = `plain-${attack.index}`
    const { connections } = witness
    const result = await plain.run(attack.code(placeOf(witness, run)))
    if (result.kind !== 'done') throw new Error(JSON.stringify(result))
    expect(escaped(witness, attack.evidence, run, connections, result.output), result.output).toBe(true)
  })
})

async function expectNoEscape(attack: Attack, index: number, before: readonly string[]): Promise<void> {
  const run = `sandbox-${index}-${before.length}`
  const { connections } = witness
  const steps = [...before, attack.code(placeOf(witness, run))]
  const result = await sandbox.run({ steps })
  const told = JSON.stringify(expectContained(result, witness))
  if (before.length > 0 && result.kind === 'done') {
    expect(result.output.steps[0]?.kind, 'the attack met the interpreter that was prepared for it').toBe(
      'result',
    )
  }
  expect(escaped(witness, attack.evidence, run, connections, told), told).toBe(false)
}
