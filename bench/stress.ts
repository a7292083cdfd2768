// Sessions working in one storage, and a check of the result: `node bench/stress.mjs [seconds] [sessions] [host directory]`. Exits
// with 1 if anything was lost or torn.
import { SessionManager, VfsStorage } from 'brumate'
import { isWhole, workInStorage } from './storage-work.js'

const [seconds = 60, count = 8] = process.argv.slice(2, 4).map(Number)
const hostPath = process.argv[4]

await using manager = await SessionManager.create({ slots: count })
await using storage = hostPath === undefined ? new VfsStorage() : VfsStorage.directory(hostPath)
const sessions = await Promise.all(
  Array.from({ length: count }, () => manager.createSession({ vfs: storage, executionTimeoutMs: null })),
)
const sums = await workInStorage(storage, sessions, { seconds, names: 50, fileBytes: 20_000 })
console.log(JSON.stringify({ seconds, sessions: count, ...sums }))
process.exitCode = isWhole(sums) ? 0 : 1
