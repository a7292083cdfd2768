// The sub-paths: they throw the library's own error classes, and the error for a client that is not installed names it.
import { InvalidOptionError, MemoryStore, StoreError } from 'brumate'
import { pythonTool as aiSdkTool } from 'brumate/ai-sdk'
import { pythonTool as anthropicTool } from 'brumate/anthropic'
import { BrumateClient, InvalidOptionError as OfClient } from 'brumate/client'
import { Sandbox } from 'brumate/e2b'
import { mcpServer } from 'brumate/mcp'
import { pythonTool as agentsTool } from 'brumate/openai-agents'
import { serve } from 'brumate/server'
import { storeConformance } from 'brumate/stores/conformance'
import { PostgresStore } from 'brumate/stores/postgres'
import { RedisStore } from 'brumate/stores/redis'
import { S3Store } from 'brumate/stores/s3'

for (const { run } of storeConformance(() => new MemoryStore())) await run()
const unreachable = new RedisStore({ sendCommand: () => Promise.reject(new Error('gone')) })
const storeError = await unreachable.get('a').catch((error) => error)
const optionError = await unreachable.get('').catch((error) => error)
console.log(storeError instanceof StoreError, optionError instanceof InvalidOptionError)
for (const store of [
  new PostgresStore('postgresql://localhost/x'),
  new RedisStore('redis://localhost'),
  new S3Store({ region: 'us-east-1' }, { bucket: 'x' }),
])
  console.log(String(await store.get('a').catch((error) => error)))
const manager = { getOrCreate() {} }
console.log(String(await mcpServer({ manager }).catch((error) => error)))
console.log((await mcpServer({}).catch((error) => error)) instanceof InvalidOptionError)
const session = { execute() {}, lostGlobals: [] }
for (const tool of [aiSdkTool, anthropicTool, agentsTool])
  console.log(String(await tool({ session }).catch((error) => error)))
console.log(String(await Sandbox.create('other').catch((error) => error.name)))
console.log(
  new BrumateClient({ url: 'http://localhost' }) instanceof BrumateClient,
  OfClient === InvalidOptionError,
)
console.log(String(await serve({ manager }).catch((error) => error)))
console.log((await serve({}).catch((error) => error)) instanceof InvalidOptionError)
