// A process in which one build is measured, a comparison at a time: its parent names it and gets milliseconds, so that it can have two
// builds take turns. Argument: the build's `dist/src/index.js`.
import { pathToFileURL } from 'node:url'
import type { ManagerOptions } from 'brumate'
import { CODE, COMPARISONS } from '../comparisons.js'

const { SessionManager } = (await import(
  pathToFileURL(process.argv[2] ?? '').href
)) as typeof import('brumate')

const manager = await SessionManager.create({ slots: 4 })
const session = await manager.createSession({
  checkpoint: 'manual',
  callbacks: { add: ({ a, b }) => a + b },
  limits: { callbackInvocations: null },
})
await session.execute(CODE)
const createManager = (options: ManagerOptions) => SessionManager.create(options)
process.on('message', (name: string) => {
  // What fails ends this process, and its parent says so.
  void COMPARISONS[name]?.({ manager, session, createManager }).then((ms) => process.send?.(ms))
})
process.send?.(0)
