// Loads ajv when the first schema needs it: loading takes a tenth of the time to a process's first result, and most callbacks have no
// schema.
import { createRequire } from 'node:module'

type Ajv = typeof import('ajv/dist/2020.js')

let loaded: Ajv | undefined

export function loadAjv(): Ajv {
  loaded ??= createRequire(import.meta.url)('ajv/dist/2020.js') as Ajv
  return loaded
}
