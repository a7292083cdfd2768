// A slot's thread that only packs: small blocks, so that it spends much of its time creating zlib streams.
import { workerData } from 'node:worker_threads'
import { Shield } from '../../../dist/src/shared/threads/shield.js'
import { packBlocks, packBlocksAside, unpackBlocks } from '../../../dist/workers/snapshot/blocks.js'

const { task, large } = workerData
const shield = new Shield(task.interrupt)
const shielded = (make) => shield.during(make)
const bytes = Buffer.alloc(large ? 20_000_000 : 300, Buffer.from('what a session has, again and again; '))
const DEFLATE = 1
task.port.postMessage({ event: 'ready' })
for (;;) {
  if (large) await packBlocksAside([bytes], DEFLATE, 'small', shielded)
  else unpackBlocks(packBlocks([bytes], DEFLATE, 'small', shielded), bytes.length, shielded)
}
