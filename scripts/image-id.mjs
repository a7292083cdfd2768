// Run by `npm pack` and `npm publish` after the build: writes the image's id into dist/workers/image.json. The package uses it to find its
// image among those in a cache directory. Builds the image; with a directory as argument, uses the one cached there.
import { readFileSync, writeFileSync } from 'node:fs'
import { decodeImage } from '../dist/src/shared/image/format.js'

const file = new URL('../dist/workers/image.json', import.meta.url)
const load = (name) => import(new URL(`../dist/src/image/${name}.js`, import.meta.url))
const [, , cacheDir] = process.argv

const { key, pyodideVersion } = JSON.parse(readFileSync(file, 'utf8'))
// First removes the id, so that the image of an earlier pack is not used for this one.
writeFileSync(file, `${JSON.stringify({ key, pyodideVersion })}\n`)
const id = await imageId()
writeFileSync(file, `${JSON.stringify({ key, pyodideVersion, id })}\n`)

async function imageId() {
  if (cacheDir !== undefined) return (await (await load('open')).openImage({ cacheDir })).id
  const bytes = await (await load('build')).buildImage()
  return decodeImage(bytes).id
}
