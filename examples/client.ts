// Sessions of a server, used from another program: callbacks run in the client, Python in the server. To fit into one file, both are in
// this process.
//
// In a clone, after `npm run build`: `node examples/run.mjs client`
import { SessionManager } from 'brumate'
import { BrumateClient, PythonError } from 'brumate/client'
import { serve } from 'brumate/server'

const key = crypto.randomUUID()

await using manager = await SessionManager.create({ slots: 2 })
await using server = await serve({ manager, keys: { ada: key } })

const client = new BrumateClient({ url: server.url, key })
await using session = await client.createSession({
  callbacks: {
    price: {
      description: 'The price of an order.',
      parameters: { type: 'object', properties: { order: { type: 'integer' } }, required: ['order'] },
      fn: ({ order }) => order / 16,
    },
    approve: (_, { suspend }) => suspend('needs human approval'),
  },
  onStdout: (text) => process.stdout.write(text),
})

console.log(await session.toolStubs())
const { value } = await session.execute(`
import asyncio
prices = await asyncio.gather(*(price(order) for order in (16, 32, 48)))
print(f'{len(prices)} prices')
sum(prices)`)
console.log('sum:', value)

const { status, pending } = await session.execute("await approve(what='refund', amount=sum(prices))")
console.log(status, pending[0]?.args)
const answered = await session.resume({ results: { [pending[0]?.id ?? '']: true } })
console.log('approved:', answered.value)

await session.files.writeFile('/tmp/data.csv', 'a,b\n1,2\n')
console.log((await session.execute("open('/tmp/data.csv').read().splitlines()")).value)
await session.execute('1 / 0').catch((error) => {
  if (error instanceof PythonError) console.log(error.type, error.frames.at(-1)?.line)
})
