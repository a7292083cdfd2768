// Approval: an agent's script calls three tools at once, one of which needs a human. The first process saves the waiting script to a file
// and exits. A second one, on any machine with any supported Node, resumes it with the human's answer.
//
// In a clone, after `npm run build`:
//
//   node examples/run.mjs approval freeze FILE          runs the script, writes the frozen session to FILE
//   node examples/run.mjs approval answer FILE yes|no   resumes it, and prints the result
import { readFile, writeFile } from 'node:fs/promises'
import { type Callbacks, SessionManager } from 'brumate'

const SCRIPT = `
import asyncio

async def refund(order):
    price, customer, approved = await asyncio.gather(
        price_of(order), customer_of(order), approve(f'refund order {order}'))
    print(f'{customer} paid {price}')
    return f'refunded {price} to {customer}' if approved else 'nothing refunded'

await refund(1204)`

const text = { type: 'string' }
const number = { type: 'integer' }

/** The tools of both processes: the process in which Python makes a call runs its tool. */
const tools: Callbacks = {
  price_of: {
    description: 'The price of an order.',
    parameters: { type: 'object', properties: { order: number }, required: ['order'] },
    fn: ({ order }) => called('price_of', order / 16),
  },
  customer_of: {
    description: 'Who placed an order.',
    parameters: { type: 'object', properties: { order: number }, required: ['order'] },
    fn: () => called('customer_of', 'Ada'),
  },
  approve: {
    description: 'Asks a human.',
    parameters: { type: 'object', properties: { what: text }, required: ['what'] },
    fn: ({ what }, { suspend }) => {
      called('approve', undefined)
      suspend(`may I ${what}?`)
    },
  },
}

function called<T>(name: string, result: T): T {
  console.log(`tool ${name}`)
  return result
}

async function freeze(manager: SessionManager, file: string): Promise<void> {
  await using session = await manager.createSession({ callbacks: tools })
  const { status, pending } = await session.execute(SCRIPT)
  console.log(`${status}: ${pending.map(({ reason }) => reason).join(', ')}`)
  const snapshot = await session.snapshotState()
  await writeFile(file, snapshot.toBytes())
  console.log(`wrote ${Math.ceil(snapshot.size / 1024)} KiB`)
}

async function answer(manager: SessionManager, file: string, approved: boolean): Promise<void> {
  await using session = await manager.createSession({ from: await readFile(file), callbacks: tools })
  const results = Object.fromEntries(session.pending.map(({ id }) => [id, approved]))
  const { stdout, value } = await session.resume({ results })
  console.log(`${stdout.trim()}; ${value}`)
}

const [step, file, word] = process.argv.slice(2)
if (file === undefined || (step !== 'freeze' && step !== 'answer')) {
  console.error('usage: node examples/run.mjs approval freeze FILE | answer FILE yes|no')
  process.exit(2)
}
await using manager = await SessionManager.create({ slots: 1 })
if (step === 'freeze') await freeze(manager, file)
else await answer(manager, file, word === 'yes')
