// A process with N interpreters that have each run something, and nothing else: prints its resident memory in bytes.
// `node memory.js brumate 9`, `node memory.js pyodide 3`; `node memory.js brumate 5 FILE` uses the image in a file.
import { setTimeout as sleep } from 'node:timers/promises'
import { Image, SessionManager } from 'brumate'
import { PlainPyodide } from '../baselines/pyodide.js'

const [kind, count] = [process.argv[2], Number(process.argv[3])]
const CODE = 'x = 1'
/** Long enough for memory that was only needed for booting to be returned. */
const SETTLE_MS = 1_000

const indexes = Array.from({ length: count }, (_, i) => i)
if (kind === 'brumate') {
  // As many slots as sessions, so that no spare slot is booted.
  const file = process.argv[4]
  const image = file === undefined ? {} : { image: await Image.load(file) }
  await using manager = await SessionManager.create({ slots: count, ...image })
  await Promise.all(indexes.map(async () => (await manager.createSession()).execute(CODE)))
  await report()
} else {
  const runners = indexes.map(() => new PlainPyodide())
  await Promise.all(runners.map((runner) => runner.run(CODE)))
  await report()
  await Promise.all(runners.map((runner) => runner.stop()))
}

async function report(): Promise<void> {
  await sleep(SETTLE_MS)
  console.log(process.memoryUsage.rss())
}
