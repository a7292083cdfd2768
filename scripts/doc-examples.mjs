// The examples of README.md and docs/. An example is a ```ts block under `<!-- example -->`. Those under `<!-- example with packages -->`
// need wheels, those under `<!-- example with a server -->` a server that somebody started.
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../', import.meta.url))

/** README.md and the pages of docs/, with their texts. */
export const pages = ['README.md', ...readdirSync(`${root}docs`).map((name) => `docs/${name}`)]
  .filter((name) => name.endsWith('.md'))
  .map((name) => ({ name, text: readFileSync(root + name, 'utf8') }))

export const examples = pages.flatMap(({ name, text }) =>
  [...text.matchAll(/<!-- example(?: with (packages|a server))? -->\n```ts\n(.*?)```/gs)].map(
    ([, needed, code = ''], index) => ({
      name: `${name} ${index + 1}`,
      code,
      withPackages: needed === 'packages',
      withServer: needed === 'a server',
    }),
  ),
)
