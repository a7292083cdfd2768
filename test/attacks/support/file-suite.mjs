// The child's side of attacks that are files: passes each file to a session in every possible way. Owns the ways; files.test.ts judges the
// outcomes.
import { pathToFileURL } from 'node:url'

export async function open({ dist, cacheDir }) {
  const { BrumateError, SessionManager, Snapshot } = await import(new URL('src/index.js', dist).href)
  const manager = await SessionManager.create({ cacheDir, slots: 3 })
  const session = await manager.createSession()
  const empty = (await session.snapshotState()).toBytes()
  await session.execute("kept = [1, 'two']; import os; open('/tmp/x', 'w').write('x' * 1000)")
  const bytes = (await session.snapshotState()).toBytes()

  return async ({ path }) => {
    const { default: forge } = await import(pathToFileURL(path).href)
    const file = Uint8Array.from(forge({ bytes, empty }))
    const ways = {
      read: async () => {
        const snapshot = Snapshot.fromBytes(file)
        return [snapshot.size, snapshot.manifest, snapshot.globals()]
      },
      restore: () => session.restoreState(file),
      fork: async () => (await manager.createSession({ from: file })).close(),
      salvage: () => session.restoreState(file, { salvage: true }),
    }
    const outcomes = {}
    for (const [name, way] of Object.entries(ways)) {
      outcomes[name] = await way().then(
        () => ({ kind: 'taken' }),
        (error) => ({
          kind: 'refused',
          typed: error instanceof BrumateError,
          error: `${error?.name} ${error?.reason ?? ''}`,
          length: String(error?.message).length,
        }),
      )
      // An accepted file may damage its own interpreter, so restore the session. A rejected file must leave it unchanged.
      if (outcomes[name].kind === 'taken' && name !== 'read' && name !== 'fork')
        await session.restoreState(bytes)
    }
    const { value } = await session.execute('kept')
    return { outcomes, kept: JSON.stringify(value) }
  }
}
