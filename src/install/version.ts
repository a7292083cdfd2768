// Finds the version of brumate. Searches upwards, because this file's location differs between the modules and the bundles.
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
    // The library was bundled into another program.
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
