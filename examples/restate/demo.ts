// The demo: an agent's script waits for a human, every service process is killed, and the script continues in another one.
//
//   npm install --prefix examples/restate     fetches Restate's server
//   node examples/run.mjs restate
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExecuteReply, PendingAnswer } from 'brumate/restate'
import { Cluster, findServer, until } from './cluster.js'

const SCRIPT = `
import asyncio
print('asking')
cost, approved = await asyncio.gather(price(1204), approve('refund order 1204'))
receipt = await refund(1204) if approved else 'nothing refunded'
print(f'{cost} paid back')
receipt`

const server = findServer()
if (server === undefined) {
  console.error('run `npm install --prefix examples/restate` first, or set BRUMATE_RESTATE_SERVER')
  process.exit(2)
}
const directory = await mkdtemp(join(tmpdir(), 'brumate-restate-'))
const cluster = await Cluster.start({ server, directory })
try {
  console.log('two service processes run')
  const reply = cluster.call('chat-42', 'execute', { code: SCRIPT }) as Promise<ExecuteReply>
  let pending: readonly PendingAnswer[] = []
  await until(async () => {
    pending = (await cluster.call('chat-42', 'pending')) as readonly PendingAnswer[]
    return pending.length > 0
  })
  const [call] = pending
  console.log(`waiting: ${call?.name} ${JSON.stringify(call?.args)}`)

  for (const service of [...cluster.services]) await cluster.kill(service)
  console.log('both are killed')
  await cluster.startService()
  console.log('another one runs')

  await cluster.call('chat-42', 'resume', { results: { [call?.id ?? '']: true } })
  const { status, stdout, ...rest } = await reply
  console.log(`${status}: ${JSON.stringify(stdout)} ${'value' in rest ? rest.value : ''}`)
  const refunds = (await readFile(join(directory, 'store/refunds.jsonl'), 'utf8')).trim().split('\n')
  console.log(`refunds: ${refunds.length}`)
} finally {
  await cluster.stop()
  await rm(directory, { recursive: true, force: true })
}
