// `npm pack` and `npm publish` run this after the build: writes dist/src/image/image-id.json, by which the package knows its image
// among those that lie in a cache directory. Builds the image, or with a directory as argument takes the one cached there.
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'

const file = new URL('../dist/src/image/image-id.json', import.meta.url)
const load = (name) => import(new URL(`../dist/src/image/${name}.js`, import.meta.url))
const { imageKey } = await load('key')
const [, , cacheDir] = process.argv

const key = await imageKey()
writeFileSync(file, `${JSON.stringify({ key, id: await imageId() })}\n`)

async function imageId() {
  if (cacheDir !== undefined) return (await (await load('open')).openImage({ cacheDir })).id
  const bytes = await (await load('build')).buildImage()
  return createHash('sha256').update(bytes.subarray(0, -32)).digest('hex')
}
