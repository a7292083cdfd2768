// A process that ends after its first result, for `compare`. Argument: the build's `dist/src/index.js`.
import { pathToFileURL } from 'node:url'

const { SessionManager } = (await import(
  pathToFileURL(process.argv[2] ?? '').href
)) as typeof import('brumate')

const manager = await SessionManager.create()
const session = await manager.createSession()
const { value } = await session.execute('1 + 1')
process.exit(value === 2 ? 0 : 1)
