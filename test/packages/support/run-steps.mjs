// Executes steps of Python in one session of an image with packages, in a process of its own, and prints the outcomes as JSON. Argument: a
// JSON object with `entry` (URL of brumate), `image` (for Image.build), `steps`, and optionally `from` and `to`: the snapshot files that
// the session starts from and is saved to.
import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'

const { entry, image: options, steps, from, to } = JSON.parse(process.argv[2])
const { Image, SessionManager } = await import(entry)

const image = await Image.build(options)
const limits = { memoryBytes: 2 ** 30, fileBytes: 2 ** 28, snapshotBytes: 2 ** 29 }
const manager = await SessionManager.create({ image, limits, cacheDir: options.cacheDir, slots: 1 })
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
await manager.close()
console.log(JSON.stringify({ imageId: image.id, node: process.version, outcomes, snapshotBytes }))

/** Hashes the forms of a display, which is enough to compare them. */
function digests(display) {
  const entries = Object.entries(display).map(([type, form]) => [type, sha256(form)])
  return Object.fromEntries(entries)
}

function sha256(form) {
  return createHash('sha256').update(form).digest('hex')
}
