// Real wheels in a folder, with what they depend on. Owns choosing files: that of the folder's lock file where it has one.
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { WheelFile } from '../../../src/shared/messages/builder.js'

interface Lock {
  readonly packages: Readonly<
    Record<string, { readonly version: string; readonly depends: readonly string[] }>
  >
}

const canonical = (name: string) => name.toLowerCase().replace(/[-_.]+/g, '-')

/** The wheels of these packages and of all that they depend on. @throws Error if one is not there */
export function wheelsOf(folder: string, names: readonly string[]): WheelFile[] {
  const lockPath = join(folder, 'pyodide-lock.json')
  const { packages }: Lock = existsSync(lockPath)
    ? JSON.parse(readFileSync(lockPath, 'utf8'))
    : { packages: {} }
  const found = new Map<string, { readonly version: string; readonly path: string }>()
  for (const file of readdirSync(folder).toSorted()) {
    const [name = '', version = ''] = file.split('-')
    if (!file.endsWith('.whl')) continue
    const other = found.get(canonical(name))
    if (other === undefined || packages[canonical(name)]?.version === version)
      found.set(canonical(name), { version, path: join(folder, file) })
  }
  const wheels = new Map<string, WheelFile>()
  const open = names.map(canonical)
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (wheels.has(name)) continue
    const file = found.get(name)
    if (file === undefined) throw new Error(`there is no wheel of ${name} in ${folder}`)
    const sha256 = createHash('sha256').update(readFileSync(file.path)).digest('hex')
    wheels.set(name, { name, ...file, sha256 })
    open.push(...(packages[name]?.depends ?? []).map(canonical))
  }
  return [...wheels.values()]
}
