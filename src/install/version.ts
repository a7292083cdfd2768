// The version of brumate. Owns finding it: this file's place differs between the modules, a sub-path's bundle and the program's.
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

let known: string | undefined

export function version(): string {
  known ??= findVersion()
  return known
}

function findVersion(): string {
  let directory = dirname(fileURLToPath(import.meta.url))
  for (;;) {
    const found = versionIn(join(directory, 'package.json'))
    if (found !== undefined) return found
    const above = dirname(directory)
    // Bundled into something else.
    if (above === directory) return 'unknown'
    directory = above
  }
}

function versionIn(file: string): string | undefined {
  try {
    const { name, version } = JSON.parse(readFileSync(file, 'utf8')) as { name?: string; version?: string }
    return name === 'brumate' ? version : undefined
  } catch {
    return undefined
  }
}
