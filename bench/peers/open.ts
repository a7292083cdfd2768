// Opens a peer by its name. Owns loading only that peer's adapter, so that no figure includes the loading of another one.
import type { Peer, PeerName, PeerOptions } from './peer.js'

/** @returns `undefined` if its packages are not installed; see HOW_TO_GET */
export async function openPeer(name: PeerName, options: PeerOptions = {}): Promise<Peer | undefined> {
  switch (name) {
    case 'brumate':
      return (await import('./brumate.js')).openBrumate(options)
    case 'eryx':
      return (await import('./eryx.js')).openEryx(options)
    case 'monty':
      return (await import('./monty.js')).openMonty()
    case 'pyodide':
      return (await import('./pyodide.js')).openPyodide(options)
    case 'python3':
      return (await import('./python3.js')).openPython3()
  }
}
