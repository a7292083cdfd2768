// The images with real packages that tests share, built from the wheels in BRUMATE_WHEELS and the locks in ../locks.
import { fileURLToPath } from 'node:url'
import { Image } from 'brumate'
import { inject } from 'vitest'
import { WHEELS } from '../../linker/support/wheels.js'

/** PACKAGES=many: tests use the large image (scipy, scikit-learn, lxml, pydantic, sympy …) and run all checks made before a release. */
export const MANY = process.env.PACKAGES === 'many'

/** The options for `Image.build`. Child processes use the same, and so get the image from the cache. */
export interface RealImageOptions {
  readonly lock: string
  readonly wheels: string
  readonly preload: readonly string[]
  readonly indexUrl: null
  readonly cacheDir: string
}

/** @throws Error without BRUMATE_WHEELS */
export function realImageOptions(): RealImageOptions {
  if (WHEELS === undefined) throw new Error('BRUMATE_WHEELS names no folder')
  return {
    lock: fileURLToPath(new URL(`../locks/${MANY ? 'many' : 'few'}.lock.json`, import.meta.url)),
    wheels: WHEELS,
    preload: ['numpy', 'pandas', 'matplotlib.pyplot'],
    indexUrl: null,
    cacheDir: inject('cacheDir'),
  }
}

/** The first test file to call this builds the image; others wait for it. */
export function realImage(): Promise<Image> {
  return Image.build(realImageOptions())
}
