// The package's version. Owns where it is read: the module and the bundle lie equally deep.
import { createRequire } from 'node:module'

export function version(): string {
  const { version } = createRequire(import.meta.url)('../../../package.json') as { version: string }
  return version
}
