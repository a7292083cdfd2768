// The images of real packages that tests share, made of the wheels in BRUMATE_WHEELS by the locks of ../locks. Owns which they are.
import { fileURLToPath } from 'node:url'
import { Image } from 'brumate'
import { inject } from 'vitest'
import { WHEELS } from '../../linker/support/wheels.js'

/** PACKAGES=many: tests use the large image (scipy, scikit-learn, lxml, pydantic, sympy …) and do all that a release is checked with. */
export const MANY = process.env.PACKAGES === 'many'

/** What `Image.build` is given. Child processes get it, too: the image comes from the cache then. */
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

/** Built by the test file that asks first; others wait for it. */
export function realImage(): Promise<Image> {
  return Image.build(realImageOptions())
}
