// R5: no slot can change the code and data that all slots share. JavaScript in a slot's thread (attacker level L2) overwrites everything
// it can reach; a running neighbour, its imports and snapshots, and a slot that starts later are unaffected.
import { Worker } from 'node:worker_threads'
import { expect, inject, it } from 'vitest'
import { openImage } from '../image/built.js'
import { TestInterpreter } from '../snapshot/interpreters.js'

/** Uses code in the image's memory, modules among its files, and files that a program reads itself. */
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
  // It only changes its own copies: of the list of runs, and of the data it read.
  expect(bytes).toBe(image.runs.byteLength)
  expect(copied).toBeGreaterThan(15_000_000)
  // The image's file is open for reading only.
  expect(refused).toMatch(/^E/)

  expect(neighbour.interpreter.capture().pages).toEqual(before)
  expect(neighbour.run(WORK)).toBe(expected)
  expect(neighbour.interpreter.revert()).toBe(true)
  expect(neighbour.run(WORK)).toBe(expected)
  expect(new TestInterpreter(image).run(WORK)).toBe(expected)
})
