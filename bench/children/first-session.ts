// A process that only runs one line of Python in a session, as quickly as possible.
import { SessionManager } from 'brumate'

await using manager = await SessionManager.create()
await using session = await manager.createSession()
const { value } = await session.execute('1 + 1')
if (value !== 2) process.exitCode = 1
