// The file of a loaded image stays open exactly as long as the image is in use.
import { existsSync } from 'node:fs'
import { copyFile, mkdtemp, readdir, readlink, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { ImageCache } from '../../src/image/cache.js'
import { imageKey, loadImageFile, openImage, runPython } from './built.js'

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'brumate-open-'))
  await openImage({ cacheDir: inject('cacheDir') })
})
afterAll(() => rm(directory, { recursive: true }))

async function copyOfImage(name: string): Promise<string> {
  const path = join(directory, name)
  await copyFile(new ImageCache(inject('cacheDir')).path(imageKey()), path)
  return path
}

async function descriptorsOf(path: string): Promise<number> {
  const names = await readdir('/proc/self/fd')
  const targets = await Promise.all(names.map((name) => readlink(`/proc/self/fd/${name}`).catch(() => '')))
  return targets.filter((target) => target.startsWith(path)).length
}

test('sessions can read files of an image whose file was removed', async () => {
  const path = await copyOfImage('gone.image')
  const image = await loadImageFile(path)
  await rm(path)
  expect(runPython(image, 'import wave; print(wave.__name__)')).toBe('wave\n')
})

test.runIf(existsSync('/proc/self/fd'))('the file is closed when the image is no longer used', async () => {
  const path = await copyOfImage('unused.image')
  await loadImageFile(path)
  const cached = await openImage({ cacheDir: inject('cacheDir') })
  for (let round = 0; round < 200 && (await descriptorsOf(path)) > 0; round += 1) {
    gc()
    await new Promise(setImmediate)
  }
  expect(await descriptorsOf(path)).toBe(0)
  expect(runPython(cached, 'import wave; print(wave.__name__)')).toBe('wave\n')
  // A rejected file is closed too.
  await expect(loadImageFile(process.execPath)).rejects.toThrow(
    /not an image; make an image file with `npx brumate image build/,
  )
  expect(await descriptorsOf(process.execPath)).toBe(0)
})
