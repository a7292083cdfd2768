// The key of an image: a hash of everything that it is made from. Processes with the same key can share a file in the cache. The build
// computes the key of the standard image (scripts/image-key.mjs).
import { createHash } from 'node:crypto'
import { imageFacts } from '../install/image-facts.js'

/** Returns the key of an image with packages. The order of the wheels does not matter, the order of `preload` does. */
export function packageImageKey(
  wheels: readonly { readonly name: string; readonly sha256: string }[],
  preload: readonly string[],
): string {
  const packages = wheels
    .map(({ name, sha256 }) => [name, sha256])
    .sort(([a = ''], [b = '']) => (a < b ? -1 : 1))
  return createHash('sha256')
    .update(JSON.stringify([imageKey(), packages, preload]))
    .digest('hex')
}

/** Returns the key of the standard image. @throws InstallationError if the package is incomplete or damaged */
export function imageKey(): string {
  return imageFacts().key
}
