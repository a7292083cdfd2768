// A process that measures one build, one comparison at a time: its parent sends a name and gets milliseconds, so that it can alternate
// between two builds. Argument: the build's `dist/src/index.js`.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { ManagerOptions } from 'brumate'
import { CODE, COMPARISONS } from '../comparisons.js'
import { timeMs } from '../measure.js'

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
/** The duration of a process that does nothing else. */
const firstResultMs = () =>
  timeMs(async () => {
    const child = fork(fileURLToPath(new URL('first-result.js', import.meta.url)), process.argv.slice(2, 3))
    const [code] = await once(child, 'exit')
    if (code !== 0) throw new Error(`a process for its first result ended with ${code}`)
  })
process.on('message', (name: string) => {
  // A failure ends this process, and its parent reports it.
  void COMPARISONS[name]?.({ manager, session, createManager, firstResultMs }).then((ms) =>
    process.send?.(ms),
  )
})
process.send?.(0)
