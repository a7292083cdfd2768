// File names of wheels (PEP 427), such as `numpy-2.4.3-cp314-cp314-pyemscripten_2026_0_wasm32.whl`. Owns parsing them; a valid name never
// contains a path.
import { canonicalName } from './names.js'
import { parseVersion, type Version } from './version.js'

export interface WheelName {
  readonly file: string
  /** Canonical name of the package. */
  readonly name: string
  readonly version: Version
  /** Build number and letters, which order wheels of the same version. */
  readonly build: readonly [number: number, rest: string]
  readonly tags: readonly string[]
}

/** A name has a few tags. One with thousands is hostile. */
const MAX_TAGS = 1000
const PATTERN =
  /^(?<name>[A-Za-z0-9](?:[A-Za-z0-9._]*[A-Za-z0-9])?)-(?<version>[^-]+)(?:-(?<build>[0-9][A-Za-z0-9_.]*))?-(?<python>[A-Za-z0-9_.]+)-(?<abi>[A-Za-z0-9_.]+)-(?<platform>[A-Za-z0-9_.]+)\.whl$/

/** Returns undefined if this is not the name of a wheel. */
export function parseWheelName(file: string): WheelName | undefined {
  const groups = file.length > 500 ? undefined : PATTERN.exec(file)?.groups
  const version = groups && parseVersion((groups.version ?? '').replaceAll('_', '-'))
  if (groups === undefined || version === undefined || groups.name?.includes('__')) return undefined
  const parts = [groups.python, groups.abi, groups.platform].map((part = '') => part.split('.'))
  if (parts.reduce((product, { length }) => product * length, 1) > MAX_TAGS) return undefined
  const [pythons = [], abis = [], platforms = []] = parts
  const [, digits = '', rest = ''] = /^([0-9]*)(.*)$/.exec(groups.build ?? '') ?? []
  return {
    file,
    name: canonicalName(groups.name ?? ''),
    version,
    build: [Number(digits), rest],
    tags: pythons.flatMap((python) =>
      abis.flatMap((abi) => platforms.map((platform) => `${python}-${abi}-${platform}`)),
    ),
  }
}
