// Options of an image with packages: the caller's form and the checked form. Owns every default.
import { resolve } from 'node:path'
import { isFunction, isSignal, isText, known } from '../options/check.js'
import { InvalidOptionError } from '../shared/errors.js'
import type { Lock } from './lock.js'
import type { PackageProgress } from './progress.js'

/** The packages of an image, and where they come from. */
export interface PackageOptions {
  /**
   * Requirements in pip's syntax (`pandas`, `matplotlib>=3.10`, `requests[socks]`), and paths of wheels
   * (`./wheels/ours-1.0-py3-none-any.whl`). Default: none.
   */
  readonly packages?: readonly string[]
  /** Paths of pip's requirements files, in addition to `packages`. */
  readonly requirements?: readonly string[]
  /**
   * A lock, or the path of one (`brumate.lock.json`). The image has exactly the wheels of the lock, and no index is asked. If `packages`
   * are given as well, the lock must have been made for them.
   */
  readonly lock?: Lock | string
  /**
   * Modules to import before the image is recorded, in this order. Every session starts with them loaded. Default: the modules of the
   * requested packages.
   */
  readonly preload?: readonly string[]
  /** Directories of wheels, preferred to all other sources. If there is a `pyodide-lock.json`, the wheels it lists come first. */
  readonly wheels?: string | readonly string[]
  /**
   * Address of a Python package index, such as `https://host/simple`; null for none. Default: the index of pip (`PIP_INDEX_URL`, pip.conf)
   * or uv (`UV_DEFAULT_INDEX`, uv.toml), otherwise micropip's.
   */
  readonly indexUrl?: string | null
}

export interface ImageOptions extends PackageOptions {
  /** Directory for images, wheels and locks, created if it is missing. Default: `brumate` in the OS cache directory. */
  readonly cacheDir?: string
  /** Called while the image is built. Default: one line on stderr, immediately on a terminal, otherwise after two seconds. */
  readonly onProgress?: (progress: PackageProgress) => void
  readonly signal?: AbortSignal
}

export interface ResolvedImageOptions {
  readonly packages: readonly string[]
  /** Absolute paths. */
  readonly requirements: readonly string[]
  readonly lock: Lock | string | undefined
  readonly preload: readonly string[] | undefined
  /** Absolute paths. */
  readonly directories: readonly string[]
  readonly indexUrl: string | null | undefined
  readonly cacheDir: string | undefined
  readonly onProgress: ((progress: PackageProgress) => void) | undefined
  readonly signal: AbortSignal | undefined
}

export const PACKAGE_OPTION_NAMES = [
  'packages',
  'requirements',
  'lock',
  'preload',
  'wheels',
  'indexUrl',
] as const
const MAX_LENGTH = 4096
const MAX_TEXTS = 10_000

/** @throws InvalidOptionError */
export function resolveImageOptions(options: ImageOptions = {}): ResolvedImageOptions {
  known('options', options, [...PACKAGE_OPTION_NAMES, 'cacheDir', 'onProgress', 'signal'])
  const { lock, wheels, indexUrl } = options
  if (indexUrl !== undefined && indexUrl !== null && !isAddress(indexUrl))
    throw new InvalidOptionError(
      'indexUrl',
      'an address that starts with https:// or http://, or null',
      indexUrl,
    )
  if (lock !== undefined && typeof lock !== 'string' && (typeof lock !== 'object' || lock === null))
    throw new InvalidOptionError('lock', 'a lock, or the path of one', lock)
  return {
    packages: isTexts('packages', options.packages) ?? [],
    requirements: (isTexts('requirements', options.requirements) ?? []).map((path) => resolve(path)),
    lock: typeof lock === 'string' ? resolve(isText('lock', lock, { maxLength: MAX_LENGTH }) ?? '') : lock,
    preload: isModules('preload', options.preload),
    directories: (isTexts('wheels', typeof wheels === 'string' ? [wheels] : wheels) ?? []).map((path) =>
      resolve(path),
    ),
    indexUrl,
    cacheDir: isText('cacheDir', options.cacheDir, { maxLength: MAX_LENGTH }),
    onProgress: isFunction('onProgress', options.onProgress),
    signal: isSignal('signal', options.signal),
  }
}

function isTexts(name: string, value: readonly string[] | undefined): readonly string[] | undefined {
  if (value === undefined) return undefined
  if (!Array.isArray(value) || value.length > MAX_TEXTS)
    throw new InvalidOptionError(name, 'an array of strings', value)
  return value.map((text, i) => {
    const checked = isText(`${name}[${i}]`, text, { maxLength: MAX_LENGTH })
    if (checked === undefined) throw new InvalidOptionError(`${name}[${i}]`, 'a string', text)
    return checked
  })
}

function isModules(name: string, value: readonly string[] | undefined): readonly string[] | undefined {
  const texts = isTexts(name, value)
  for (const [i, text] of (texts ?? []).entries())
    if (!/^[\p{ID_Start}_][\p{ID_Continue}]*(\.[\p{ID_Start}_][\p{ID_Continue}]*)*$/u.test(text))
      throw new InvalidOptionError(`${name}[${i}]`, 'the name of a module, such as "matplotlib.pyplot"', text)
  return texts
}

function isAddress(value: unknown): boolean {
  return typeof value === 'string' && /^https?:\/\//i.test(value) && URL.canParse(value)
}
