// Compiles consumer.ts with TypeScript 7, which is a program without the API that types.mjs uses, in the same ways. Arguments: the
// compiler's `bin/tsc`, and the project's folder. Errors in declarations other than brumate's are ignored.
import { spawnSync } from 'node:child_process'
import { COMMON, LIBRARIES, MODULES } from './type-settings.mjs'

const [, , tsc, project] = process.argv
const OWN = /^(consumer\.ts|node_modules\/brumate\/)/

let failed = false
for (const modules of MODULES)
  for (const lib of LIBRARIES) {
    const settings = Object.entries({ ...COMMON, ...modules, lib })
    const flags = settings.flatMap(([name, value]) => [`--${name}`, String(value)])
    const args = [tsc, 'consumer.ts', '--ignoreConfig', '--pretty', 'false', ...flags]
    const { stdout, stderr, error } = spawnSync(process.execPath, args, { cwd: project, encoding: 'utf8' })
    if (error) throw error
    const own = stdout.split('\n').filter((line) => OWN.test(line) || /^error /.test(line))
    if (own.length === 0 && stderr === '') continue
    failed = true
    console.log(`TypeScript 7, ${modules.moduleResolution}, lib ${lib}:\n${[...own, stderr].join('\n')}`)
  }
process.exitCode = failed ? 1 : 0
