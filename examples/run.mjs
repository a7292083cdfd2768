// Runs a compiled example by name: `node examples/run.mjs tour [--json]`, `node examples/run.mjs approval freeze FILE`.
import { readdirSync } from 'node:fs'
import { runBuilt } from '../scripts/run-built.mjs'

const names = readdirSync(new URL('.', import.meta.url)).flatMap(
  (file) => /^([\w-]+)\.ts$/.exec(file)?.[1] ?? [],
)
const [name = ''] = process.argv.splice(2, 1)
if (!names.includes(name)) {
  if (name !== '') console.error(`there is no example ${JSON.stringify(name)}`)
  console.error(`usage: node examples/run.mjs NAME [options]   (NAME: ${names.join(', ')})`)
  process.exit(2)
}
await runBuilt(`examples/${name}.js`)
