// Executes steps of Python in sessions of an image with packages, in a process of its own. Argument: a JSON object with `entry` (URL of
// brumate) and `image` (for Image.build). Each message of the parent has `steps`, and optionally `from` and `to`: the snapshot files that
// the session starts from and is saved to. Answers with the outcomes, and ends when the parent disconnects.
import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'

const { entry, image: options } = JSON.parse(process.argv[2])
const { Image, SessionManager } = await import(entry)

const image = await Image.build(options)
const limits = { memoryBytes: 2 ** 30, fileBytes: 2 ** 28, snapshotBytes: 2 ** 29 }
const manager = await SessionManager.create({ image, limits, cacheDir: options.cacheDir, slots: 1 })

process.on('message', async (request) => process.send(await run(request)))
process.once('disconnect', () => manager.close())
process.send('ready')

async function run({ steps, from, to }) {
  const session = await manager.createSession({
    executionTimeoutMs: null,
    ...(from === undefined ? {} : { from: await readFile(from) }),
  })
  const outcomes = []
  for (const code of steps) {
    const { value, displays, stdout, stderr } = await session.execute(code)
    outcomes.push({ value, stdout, stderr, displays: displays.map(digests) })
  }
  let snapshotBytes = 0
  if (to !== undefined) {
    const bytes = (await session.snapshotState()).toBytes()
    snapshotBytes = bytes.length
    await writeFile(to, bytes)
  }
  await session.close()
  return { imageId: image.id, node: process.version, outcomes, snapshotBytes }
}

/** Hashes the forms of a display, which is enough to compare them. */
function digests(display) {
  const entries = Object.entries(display).map(([type, form]) => [type, sha256(form)])
  return Object.fromEntries(entries)
}

function sha256(form) {
  return createHash('sha256').update(form).digest('hex')
}
