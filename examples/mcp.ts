// An MCP server over HTTP with tokens, and a client that runs Python on it: what `brumate mcp --http` does, in a program of your own.
//
// In a clone, after `npm run build`: `node examples/run.mjs mcp`
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { SessionManager } from 'brumate'
import { serveHttp } from 'brumate/mcp'

const token = crypto.randomUUID()

await using manager = await SessionManager.create({ slots: 2 })
await using server = await serveHttp({ manager, tokens: { ada: token } })

const client = new Client({ name: 'example', version: '1.0.0' })
const requestInit = { headers: { authorization: `Bearer ${token}` } }
await client.connect(new StreamableHTTPClientTransport(new URL(server.url), { requestInit }))

const { tools } = await client.listTools()
console.log(`tools: ${tools.map(({ name }) => name).join(', ')}`)

await python('from statistics import mean\nprices = [3, 4, 11]')
await python('mean(prices)')
await python('mean(costs)')
await client.close()

/** Runs code, and prints what a model would read. */
async function python(code: string): Promise<void> {
  const { content } = await client.callTool({ name: 'run_python', arguments: { code, session: 'shop' } })
  console.log(`>>> ${code.replaceAll('\n', '\n... ')}`)
  for (const part of content) if (part.type === 'text') console.log(part.text)
}
