// Makes pure Python wheels for tests, as small as pip accepts.
import { createHash } from 'node:crypto'
import { zip } from '../../../scripts/zip.mjs'

export interface WheelOptions {
  readonly version?: string
  readonly requires?: readonly string[]
  readonly extras?: readonly string[]
  readonly requiresPython?: string
  readonly tag?: string
  /** Files by path. Default: a module of the package's name. */
  readonly files?: Readonly<Record<string, string>>
  readonly yanked?: boolean
}

export interface TestWheel {
  readonly name: string
  readonly version: string
  readonly file: string
  readonly bytes: Buffer
  readonly sha256: string
  readonly metadata: string
  readonly requiresPython: string | undefined
  readonly yanked: boolean
}

export function makeWheel(name: string, options: WheelOptions = {}): TestWheel {
  const { version = '1.0', requires = [], extras = [], requiresPython, tag = 'py3-none-any' } = options
  const base = `${name.replaceAll('-', '_')}-${version}`
  const module = name.replaceAll('-', '_')
  const metadata = [
    'Metadata-Version: 2.1',
    `Name: ${name}`,
    `Version: ${version}`,
    ...(requiresPython === undefined ? [] : [`Requires-Python: ${requiresPython}`]),
    ...extras.map((extra) => `Provides-Extra: ${extra}`),
    ...requires.map((one) => `Requires-Dist: ${one}`),
    '',
    'Requires-Dist: not-a-header',
  ].join('\n')
  const files = { [`${module}/__init__.py`]: `version = ${JSON.stringify(version)}\n`, ...options.files }
  const bytes = zip([
    ...Object.entries(files).map(([path, text]) => [path, Buffer.from(text)] as const),
    [`${base}.dist-info/METADATA`, Buffer.from(metadata)],
    [`${base}.dist-info/WHEEL`, Buffer.from(`Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: ${tag}\n`)],
    [`${base}.dist-info/RECORD`, Buffer.from('')],
  ])
  return {
    ...{ name, version, bytes, metadata, requiresPython },
    file: `${base}-${tag}.whl`,
    sha256: sha256(bytes),
    yanked: options.yanked ?? false,
  }
}

export function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex')
}
