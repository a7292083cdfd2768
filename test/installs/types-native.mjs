// Compiles consumer.ts with TypeScript 7, which is a program without the API that types.mjs uses, in the same ways. Arguments: the
// compiler's `bin/tsc`, and the project's folder. Errors in declarations other than brumate's are ignored.
import { spawnSync } from 'node:child_process'

const [, , tsc, project] = process.argv
const OWN = /^(consumer\.ts|node_modules\/brumate\/)/
const MODULES = [
  ['--module', 'nodenext', '--moduleResolution', 'nodenext'],
  ['--module', 'esnext', '--moduleResolution', 'bundler'],
]
const LIBRARIES = ['es2022', 'esnext,dom,dom.iterable']
const COMMON = [
  ...['--target', 'es2022', '--strict', '--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess'],
  ...['--noEmit', '--types', '', '--pretty', 'false'],
]

let failed = false
for (const modules of MODULES)
  for (const lib of LIBRARIES) {
    const args = [tsc, 'consumer.ts', '--ignoreConfig', ...COMMON, ...modules, '--lib', lib]
    const { stdout, stderr, error } = spawnSync(process.execPath, args, { cwd: project, encoding: 'utf8' })
    if (error) throw error
    const own = stdout.split('\n').filter((line) => OWN.test(line) || /^error /.test(line))
    if (own.length === 0 && stderr === '') continue
    failed = true
    console.log(`TypeScript 7, ${modules[3]}, lib ${lib}:\n${[...own, stderr].join('\n')}`)
  }
process.exitCode = failed ? 1 : 0
