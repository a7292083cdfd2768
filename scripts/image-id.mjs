// `npm pack` and `npm publish` run this after the build: writes the image's id into dist/workers/image.json, by which the package knows
// its image among those that lie in a cache directory. Builds the image, or with a directory as argument takes the one cached there.
import { readFileSync, writeFileSync } from 'node:fs'
import { decodeImage } from '../dist/src/shared/image/format.js'

const file = new URL('../dist/workers/image.json', import.meta.url)
const load = (name) => import(new URL(`../dist/src/image/${name}.js`, import.meta.url))
const [, , cacheDir] = process.argv

const { key, pyodideVersion } = JSON.parse(readFileSync(file, 'utf8'))
// Without an id, so that an image of the last pack is not taken for this one's.
writeFileSync(file, `${JSON.stringify({ key, pyodideVersion })}\n`)
const id = await imageId()
writeFileSync(file, `${JSON.stringify({ key, pyodideVersion, id })}\n`)

async function imageId() {
  if (cacheDir !== undefined) return (await (await load('open')).openImage({ cacheDir })).id
  const bytes = await (await load('build')).buildImage()
  return decodeImage(bytes).id
}
