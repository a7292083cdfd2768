// A process whose slots pack continuously and are ended at random moments: `terminate ROUNDS` ends one slot after the other, `exit` the
// process. The test passes if it exits with 0.
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { ManagerMemory } from '../../../dist/src/memory/manager-memory.js'
import { SlotThread } from '../../../dist/src/slots/thread.js'

const SLOTS = 4
const [how, rounds = '1'] = process.argv.slice(2)

async function packing(large) {
  const file = new URL('packing-worker.mjs', import.meta.url)
  const piscina = {
    run: (task, { signal, transferList }) => {
      const worker = new Worker(file, { workerData: { task, large }, transferList })
      signal.addEventListener('abort', () => void worker.terminate())
      return new Promise((_, reject) => worker.on('error', reject))
    },
  }
  const memory = new ManagerMemory(null, []).openSlot('none', () => undefined)
  const thread = new SlotThread(piscina, 'none', memory)
  await thread.slot.ready
  return thread
}

async function endOne(index) {
  const thread = await packing(index % 2 === 1)
  await sleep(Math.random() * 20)
  thread.terminate('the test ends it')
  await thread.stopped
}

if (how === 'exit') {
  await Promise.all(Array.from({ length: SLOTS }, (_, index) => packing(index === 0)))
  await sleep(Math.random() * 10)
} else {
  for (let round = 0; round < Number(rounds); round++)
    await Promise.all(Array.from({ length: SLOTS }, (_, index) => endOne(index)))
}
process.exit(0)
