// Splits an attack's code into calls on a session: cells separated by `# %%`, with definitions of the attack's targets and its prelude
// before the first. Owns the grammar of cells.
import { hostname } from 'node:os'
import type { Witness } from '../../security/support/witness.js'
import { type Attack, readPrelude } from './header.js'

export type Step =
  | { readonly code: string; readonly timeoutMs?: number }
  | { readonly get: string }
  | { readonly reset: true }
  | { readonly snapshot: true }

/** `# %%`, `# %% get NAME`, `# %% reset`, `# %% snapshot`; the last three have no code of their own. */
export function stepsOf(attack: Attack, place: string, prelude = attack.prelude): readonly Step[] {
  const steps: Step[] = []
  const [first = '', ...rest] = attack.code.split(/^# %%(.*)$/m)
  const opening = [place, prelude === undefined ? '' : readPrelude(prelude)].join('\n')
  steps.push({ code: `${opening}\n${first}` })
  for (let at = 0; at < rest.length; at += 2) {
    const [command = '', argument = ''] = (rest[at] ?? '').trim().split(' ')
    if (command === 'get') steps.push({ get: argument })
    else if (command === 'reset') steps.push({ reset: true })
    else if (command === 'snapshot') steps.push({ snapshot: true })
    else if (command === '') steps.push({ code: rest[at + 1] ?? '' })
    else throw new Error(`${attack.path}: unknown cell ${command}`)
  }
  return steps
}

/** Python that defines the attack's targets. Each run has its own marker, so that two runs cannot mistake each other's. */
export function placeOf(witness: Witness, run: string): string {
  const { directory, secretPath, port } = witness
  const names = { MARKER: witness.marker(run), DIRECTORY: directory, SECRET: secretPath }
  const lines = Object.entries(names).map(([name, value]) => `${name} = ${JSON.stringify(value)}`)
  return [...lines, `PORT = ${port}`, `HOST_WORDS = ${JSON.stringify(hostWords(witness))}`].join('\n')
}

/** Patterns of what must not be in an interpreter's memory. Each letter is a character class, so that the search does not find itself. */
function hostWords(witness: Witness): string[] {
  const names = [process.cwd(), process.execPath, hostname()].filter((name) => name.length > 7)
  const words = ['RecursionError', 'BRUMATE_CANARY', witness.canary, 'node_modules', ...names]
  return words.map((word) => word.replace(/./g, (letter) => `[${letter}]`))
}
