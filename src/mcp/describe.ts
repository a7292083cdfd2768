// What the tools say about themselves to a model, from what the sessions have. Owns the texts.
import type { Limits } from '../options/limits.js'

export interface Facts {
  /** Versions by name. */
  readonly packages: Readonly<Record<string, string>>
  readonly home: string
  readonly version: string
  /** Python signatures of the connected servers' tools. */
  readonly stubs: string
  readonly limits: Partial<Limits>
  readonly timeoutMs: number | null
}

const MAX_PACKAGES = 100
const MAX_STUBS_LENGTH = 8000
const MiB = 1024 * 1024

export function describeRun({ packages, home, version, stubs, limits, timeoutMs }: Facts): string {
  const names = Object.entries(packages)
  const shown = names.slice(0, MAX_PACKAGES).map(([name, number]) => `${name} ${number}`)
  const more = names.length > MAX_PACKAGES ? ` and ${names.length - MAX_PACKAGES} more` : ''
  const plots = Object.hasOwn(packages, 'matplotlib') ? ['Figures of matplotlib come back as images.'] : []
  const bounds = [
    timeoutMs === null ? [] : [`${timeoutMs / 1000} s unless \`timeout\` says otherwise`],
    limits.memoryBytes ? [`${Math.round(limits.memoryBytes / MiB)} MiB of memory`] : [],
    limits.fileBytes ? [`${Math.round(limits.fileBytes / MiB)} MiB of files`] : [],
  ].flat()
  const lines = [
    `Runs Python ${version} code in a sandbox, and returns what it printed and the value of its last expression.`,
    '- Variables, functions, imports and files stay for later calls with the same `session`.',
    '- Top-level `await` works. There is no network, no subprocess and no pip.',
    `- The current directory is ${home}. Files that the code writes come back as resources.`,
    names.length === 0
      ? '- There is the standard library, and no other package.'
      : `- Packages beside the standard library: ${shown.join(', ')}${more}.`,
    ...plots.map((line) => `- ${line}`),
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
