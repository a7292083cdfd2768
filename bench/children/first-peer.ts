// A process that opens one peer, and prints a line when it has the first result. Argument: the peer's name.
import { openPeer } from '../peers/open.js'
import type { PeerName } from '../peers/peer.js'

const peer = await openPeer(process.argv[2] as PeerName)
const done = await peer?.perform([
  { do: 'create', session: 'first' },
  { do: 'execute', session: 'first', code: 'x = 1' },
])
if (done === undefined || done.some(({ error, cannot }) => error ?? cannot)) process.exit(1)
console.log('first')
