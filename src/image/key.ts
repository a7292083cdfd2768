// The key of an image: what it is made from. Two processes with the same key may share a file, anything else makes a new one. The build
// computes the key of the image without packages (scripts/image-key.mjs).
import { createHash } from 'node:crypto'
import { imageFacts } from '../install/image-facts.js'

/** The key of an image with packages: the order of the wheels makes no difference, that of `preload` does. */
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

/** @throws InstallationError if the package is incomplete or damaged */
export function imageKey(): string {
  return imageFacts().key
}
