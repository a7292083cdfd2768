// Plain Pyodide: `loadPyodide()` in a worker thread for each session, with code as messages, as one would write it without brumate.
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { version } from 'pyodide'
import { PlainPyodide } from '../baselines/pyodide.js'
import { firstResultHere, type Peer, type PeerOptions } from './peer.js'
import { PickledSessions } from './pickled.js'

export async function openPyodide({ wheels }: PeerOptions): Promise<Peer> {
  const packages = wheels === undefined ? undefined : { directory: wheels, names: ['numpy', 'pandas'] }
  const file = join(tmpdir(), `brumate-bench-cell-${process.pid}`)
  const sessions = new PickledSessions(() => new PlainPyodide(packages), file)
  return {
    name: 'pyodide',
    call: '',
    files: '/tmp/',
    // Each takes two seconds to boot.
    mostSessions: 4,
    firstResult: firstResultHere('pyodide'),
    version: async () => version,
    perform: (steps) => sessions.perform(steps),
    close: () => sessions.close(),
  }
}
