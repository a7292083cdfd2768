// A service process: Python sessions as virtual objects of Restate. Any number of these can run, on any machines that share the store.
//
//   PORT=9080 STORE=/tmp/sessions node dist/examples/restate/service.js
import './with-resolvers.js'
import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'
import { serve } from '@restatedev/restate-sdk'
import { DirectoryStore, SessionManager } from 'brumate'
import { sessionObject } from 'brumate/restate'

const { PORT = '0', STORE = '', SHOP_URL, CACHE_DIR } = process.env

const manager = await SessionManager.create({
  slots: 4,
  store: new DirectoryStore(STORE),
  durability: 'checkpoint',
  ...(CACHE_DIR === undefined ? {} : { cacheDir: CACHE_DIR }),
})

const order = { type: 'object', properties: { order: { type: 'integer' } }, required: ['order'] } as const

const sessions = sessionObject({
  manager,
  name: 'python',
  callbacks: {
    price: {
      description: 'The price of an order.',
      parameters: order,
      fn: async (_, args) => args.order / 16,
    },
    refund: {
      description: 'Pays back an order. Returns the receipt.',
      parameters: order,
      // The step may run twice if a process is killed in the middle of it. The key tells the shop which refunds it has already made.
      fn: (ctx, args, { idempotencyKey }) => ctx.run('refund', () => refund(args.order, idempotencyKey)),
    },
    approve: {
      description: 'Asks a human. Returns their answer.',
      parameters: { type: 'object', properties: { what: { type: 'string' } }, required: ['what'] },
      // Has no `fn`: the handler `resume` answers it, today or in a month.
    },
  },
})

/** An effect on the outside: a request to another company's shop, or to a file that stands in for it. */
async function refund(orderNumber: number, idempotencyKey: string): Promise<string> {
  const body = JSON.stringify({ order: orderNumber, idempotencyKey })
  if (SHOP_URL === undefined) await appendFile(join(STORE, 'refunds.jsonl'), `${body}\n`)
  else {
    const response = await fetch(SHOP_URL, { method: 'POST', body })
    if (!response.ok) throw new Error(`the shop answered ${response.status}`)
  }
  return `receipt ${orderNumber}`
}

const port = await serve({ services: [sessions], port: Number(PORT) })
// Read by the program that started this process.
console.log(`port ${port}`)

process.once('SIGTERM', async () => {
  // Executions that still run after this time start again in another process.
  await manager.drain({ timeoutMs: 5000 })
  process.exit()
})
