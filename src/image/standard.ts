// Which bytes the image of this package has. Owns reading the file that says so, which scripts/image-id.mjs writes when the package
// is packed. The same inputs make the same image on every machine, so an image of another id is not ours.
import { readFile } from 'node:fs/promises'
import { ImageError } from '../shared/errors.js'

const FILE = new URL('../image/image-id.json', import.meta.url)

/**
 * The id of the image with this key. Undefined in a checkout, whose image changes with its source, and beside a Pyodide that is not
 * the one the package was published with.
 *
 * @throws ImageError if the package is damaged
 */
export async function standardImageId(key: string): Promise<string | undefined> {
  let text: string
  try {
    text = await readFile(FILE, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    const known = JSON.parse(text) as { key?: unknown; id?: unknown }
    return known.key === key ? String(known.id) : undefined
  } catch (cause) {
    throw new ImageError('the package is damaged: image-id.json cannot be read; reinstall brumate', { cause })
  }
}
