// The MCP server that is killed: `node chaos/mcp-server.mjs stdio|http STORE CACHE`. Over HTTP it prints its URL. Needs a build.
import { DirectoryStore, SessionManager } from 'brumate'
import { serveHttp, serveStdio } from 'brumate/mcp'

const [kind, directory, cacheDir] = process.argv.slice(2)
const manager = await SessionManager.create({
  store: new DirectoryStore(directory),
  durability: 'checkpoint',
  // Short, because the next server waits for the killed one's leases.
  leaseMs: 1000,
  cacheDir,
})
const onError = (error) => console.error(error)
if (kind === 'stdio') {
  const server = await serveStdio({ manager, onError })
  await server.closed
  await manager.close()
} else {
  const { url } = await serveHttp({ manager, onError })
  console.log(url)
}
