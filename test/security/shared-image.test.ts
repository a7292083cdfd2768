// R5: what all slots run cannot be changed from one of them. JavaScript in a slot's thread (attacker level L2) writes to all it
// reaches; a neighbour that runs, its imports and its snapshots, and a slot that starts afterwards are as before.
import { Worker } from 'node:worker_threads'
import { expect, inject, it } from 'vitest'
import { openImage } from '../image/built.js'
import { TestInterpreter } from '../snapshot/interpreters.js'

/** Code of the image's memory, modules of its files, and files that a program reads itself. */
const WORK = `
import colorsys, ast, zlib, zoneinfo
print(ast.dump(ast.parse('a + 1')), colorsys.rgb_to_hsv(0, 0, 1), sorted('cab'))
print(zlib.crc32(open('/lib/python314.zip', 'rb').read(2_000_000)), zoneinfo.ZoneInfo('Asia/Tokyo'))
del colorsys, ast, zlib, zoneinfo
`

it('I3: JavaScript in one slot cannot change the image that all slots share', async () => {
  const image = await openImage({ cacheDir: inject('cacheDir') })
  const expected = new TestInterpreter(image).run(WORK)
  const neighbour = new TestInterpreter(image)
  neighbour.run('x = 1')
  const before = neighbour.interpreter.capture().pages

  const vandal = new Worker(new URL('support/vandal.cjs', import.meta.url), { workerData: image })
  const { bytes, copied, refused } = await new Promise<{ bytes: number; copied: number; refused: string }>(
    (resolve, reject) => {
      vandal.once('message', resolve)
      vandal.once('error', reject)
    },
  )
  await vandal.terminate()
  // Its own copies: of the list of runs, and of what it read.
  expect(bytes).toBe(image.runs.byteLength)
  expect(copied).toBeGreaterThan(15_000_000)
  // The image's file is open to be read only.
  expect(refused).toMatch(/^E/)

  expect(neighbour.interpreter.capture().pages).toEqual(before)
  expect(neighbour.run(WORK)).toBe(expected)
  expect(neighbour.interpreter.revert()).toBe(true)
  expect(neighbour.run(WORK)).toBe(expected)
  expect(new TestInterpreter(image).run(WORK)).toBe(expected)
})
