// `npm run types`: checks the types of everything that tsconfig.check.json names. The examples of README.md and docs/ are among it: they are
// written into a folder of their own first, one file each.
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { examples } from './doc-examples.mjs'
import { TSC } from './tsc.mjs'

const root = fileURLToPath(new URL('../', import.meta.url))
const folder = join(root, '.reports/examples')

rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })
for (const { name, code } of examples)
  writeFileSync(join(folder, `${name.replaceAll(/[ /]/g, '-')}.ts`), code)

const { status } = spawnSync(process.execPath, [TSC, '-p', join(root, 'tsconfig.check.json')], {
  stdio: 'inherit',
})
process.exitCode = status ?? 1
