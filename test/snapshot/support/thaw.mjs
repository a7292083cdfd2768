// A process that thaws snapshots written by another process, runs code in each, and prints the results as JSON.
import { readFile } from 'node:fs/promises'
import process from 'node:process'

const { dist, cacheDir, cases } = JSON.parse(await readFile(process.argv[2], 'utf8'))
const { SessionManager, Snapshot } = await import(new URL('src/index.js', dist).href)
const manager = await SessionManager.create({ cacheDir, slots: 1 })
const answers = {}
for (const { name, file, after } of cases) {
  try {
    const session = await manager.createSession({
      tenant: 'survival',
      from: Snapshot.fromBytes(await readFile(file)),
      checkpoint: 'manual',
    })
    const { value } = await session.execute(after)
    answers[name] = { value }
    await session.close()
  } catch (error) {
    answers[name] = { error: `${error}\n${error.traceback ?? error.stack}` }
  }
}
await manager.close()
const text = (_, value) => (value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value)
console.log(JSON.stringify({ node: process.version, answers }, text))
