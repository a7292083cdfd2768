// The pages of the documentation site: which files of the repository they are, and in which order. Owns how links between them are
// rewritten.
import { readdirSync } from 'node:fs'
import { posix } from 'node:path'

const { dirname, join } = posix

/** Names of pages in docs/, without extension, by the heading under which they are listed. All others are appended to `Internals`. */
const GROUPS = {
  Start: ['index', 'api', 'cli', 'troubleshooting'],
  Sessions: ['values', 'output', 'callbacks', 'files', 'python', 'options', 'errors'],
  State: ['snapshots', 'lasting-sessions', 'stores', 'upgrades'],
  Packages: ['packages', 'python-packages', 'image'],
  'Ways in': [
    'ways-in',
    'server',
    'client',
    'mcp',
    'librechat',
    'ai-sdk',
    'openai-agents',
    'anthropic',
    'langchain',
    'e2b',
    'just-bash',
    'restate',
  ],
  Operation: ['deployment', 'memory', 'observability', 'benchmarks'],
  Security: ['security', 'threats', 'host-imports', 'untrusted-keys'],
  Internals: ['behaviour', 'snapshot-format', 'storages', 'measuring', 'chaos', 'contributing', 'changelog'],
}

/** Pages outside of docs/. */
const ELSEWHERE = {
  'README.md': 'index',
  'SECURITY.md': 'security',
  'CONTRIBUTING.md': 'contributing',
  'CHANGELOG.md': 'changelog',
  'bench/README.md': 'measuring',
  'chaos/README.md': 'chaos',
  'examples/restate/README.md': 'restate-example',
}

/** Names of pages by file. @param {string} root of the repository */
export function pagesOf(root) {
  const docs = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'))
  return new Map([
    ...Object.entries(ELSEWHERE),
    ...docs.map((name) => /** @type {const} */ ([`docs/${name}`, name.slice(0, -'.md'.length)])),
  ])
}

/** @param {ReadonlyMap<string, string>} titles of pages by name */
export function sidebarOf(titles) {
  const listed = new Set(Object.values(GROUPS).flat())
  const others = [...titles.keys()].filter((name) => !listed.has(name))
  return Object.entries(GROUPS).map(([text, names]) => ({
    text,
    items: [...names, ...(text === 'Internals' ? others : [])].flatMap((name) => {
      const title = titles.get(name)
      return title === undefined ? [] : { text: title, link: name === 'index' ? '/' : `/${name}` }
    }),
  }))
}

/**
 * A page's text with links as the site needs them. A link to a file without a page, such as a source file, becomes plain text; images are
 * not changed.
 *
 * @param {string} text
 * @param {string} file
 * @param {ReadonlyMap<string, string>} pages
 */
export function withSiteLinks(text, file, pages) {
  return outsideCode(text, (prose) =>
    prose.replaceAll(/(!?)\[((?:[^\][]|\[[^\]]*\])*)\]\(([^)\s]+)\)/g, (whole, mark, label, link) => {
      if (mark === '!' || /^(?:[a-z]+:|#)/.test(link)) return whole
      const [path, anchor] = link.split('#')
      const name = pages.get(join(dirname(file), path))
      if (name === undefined) return label
      return `[${label}](/${name === 'index' ? '' : name}${anchor === undefined ? '' : `#${anchor}`})`
    }),
  )
}

/** @param {string} text @param {(prose: string) => string} change */
function outsideCode(text, change) {
  return text
    .split(/(^```[\s\S]*?^```$)/m)
    .map((part) => (part.startsWith('```') ? part : change(part)))
    .join('')
}
