// The sub-paths: what they throw is of the library's own classes, and a client that is not installed is named.
import { InvalidOptionError, MemoryStore, StoreError } from 'brumate'
import { BrumateClient, InvalidOptionError as OfClient } from 'brumate/client'
import { mcpServer } from 'brumate/mcp'
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
console.log(String(await serve({ manager }).catch((error) => error)))
console.log((await serve({}).catch((error) => error)) instanceof InvalidOptionError)
console.log(
  new BrumateClient({ url: 'http://localhost' }) instanceof BrumateClient,
  OfClient === InvalidOptionError,
)
