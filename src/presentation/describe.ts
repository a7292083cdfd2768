// The description that a model gets of a tool that runs Python, from what the session provides. Owns the texts.
import type { Limits } from '../options/limits.js'
import type { Session } from '../session.js'

export interface PythonFacts {
  readonly packages: readonly { readonly name: string; readonly version: string }[]
  readonly home: string
  /** Such as `3.14`. */
  readonly version: string
  /** Python signatures of the functions in `tools`. */
  readonly stubs: string
  readonly limits: Partial<Limits>
  readonly timeoutMs: number | null
}

/** What differs between tools. Each is part of a sentence, with a leading space. */
export interface Wording {
  /** Which later calls see the state. Default: all. */
  readonly scope?: string
  /** What happens to files that the code writes. */
  readonly files?: string
  /** How a call can set another time limit. */
  readonly timeLimit?: string
}

const MAX_PACKAGES = 100
const MAX_STUBS_LENGTH = 8000
const MiB = 1024 * 1024

/** Makes no call of the session, which may be dormant or busy. @param timeoutMs default: the session's */
export function factsOf(
  session: Pick<Session, 'image' | 'limits' | 'executionTimeoutMs' | 'toolStubs'>,
  timeoutMs: number | null = session.executionTimeoutMs,
): PythonFacts {
  const { packages, home, pythonVersion } = session.image
  const version = /^\d+\.\d+/.exec(pythonVersion)?.[0] ?? pythonVersion
  return { packages, home, version, stubs: session.toolStubs(), limits: session.limits, timeoutMs }
}

export function describePython(facts: PythonFacts, wording: Wording = {}): string {
  const { packages, home, version, stubs, limits, timeoutMs } = facts
  const { scope = '', files = '', timeLimit = '' } = wording
  const shown = packages.slice(0, MAX_PACKAGES).map(({ name, version: number }) => `${name} ${number}`)
  const more = packages.length > MAX_PACKAGES ? ` and ${packages.length - MAX_PACKAGES} more` : ''
  const hasPlots = packages.some(({ name }) => name === 'matplotlib')
  const bounds = [
    timeoutMs === null ? [] : [`${timeoutMs / 1000} s${timeLimit}`],
    limits.memoryBytes ? [`${Math.round(limits.memoryBytes / MiB)} MiB of memory`] : [],
    limits.fileBytes ? [`${Math.round(limits.fileBytes / MiB)} MiB of files`] : [],
  ].flat()
  const lines = [
    `Runs Python ${version} code in a sandbox, and returns what it printed and the value of its last expression.`,
    `- Variables, functions, imports and files stay for later calls${scope}.`,
    '- Top-level `await` works. There is no network, no subprocess and no pip.',
    `- The current directory is ${home}.${files}`,
    packages.length === 0
      ? '- There is the standard library, and no other package.'
      : `- Packages besides the standard library: ${shown.join(', ')}${more}.`,
    ...(hasPlots ? ['- Figures of matplotlib come back as images.'] : []),
    ...(bounds.length === 0 ? [] : [`- Limits: ${bounds.join(', ')}.`]),
  ]
  return [...lines, ...describeTools(stubs)].join('\n')
}

function describeTools(stubs: string): string[] {
  if (stubs === '') return []
  const isShort = stubs.length <= MAX_STUBS_LENGTH
  const shown = isShort ? stubs : stubs.replaceAll(/^ {4}"""[\s\S]*?"""$/gm, '    ...')
  const hint = isShort ? '' : ' `help(tools.NAME)` describes one.'
  return [
    `- These functions are in \`tools\`; call them with \`await tools.NAME(…)\`.${hint}`,
    '',
    '```python',
    shown.length <= MAX_STUBS_LENGTH ? shown.trimEnd() : `${shown.slice(0, MAX_STUBS_LENGTH)}\n…`,
    '```',
  ]
}
