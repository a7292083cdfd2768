// B7, S3: a session that kills or blocks every interpreter that loads it is not retried forever.
import type * as Brumate from 'brumate'
import { InterpreterCrashedError, SessionClosedError } from 'brumate'
import { expect, inject, onTestFinished, test } from 'vitest'
import { HostileBuild } from '../security/support/hostile-build.js'
import { py } from '../support/session-code.js'
import { countersSince, sharedManager } from '../support/shared-manager.js'

/** The kernel draws entropy when a session is thawed, through code in guest memory, which hostile code can replace. */
const ON_THAW = py`
  import os, random
  def on_thaw(act):
      for cell in random.seed.__closure__:
          if type(cell.cell_contents).__name__ == 'Generator':
              cell.cell_contents._draw = act
  def spin():
      while True:
          try:
              while True:
                  pass
          except BaseException:
              pass
  kept = 1
`

test('B7, S3: a session whose state kills every interpreter is closed, with the reason', async () => {
  const manager = await sharedManager({ slots: 4 })
  const counted = countersSince(manager)
  await using session = await manager.createSession()
  await using neighbour = await manager.createSession()
  await neighbour.execute('x = 1')
  await session.execute(ON_THAW)
  await session.execute('on_thaw(lambda: os._exit(3))')
  await session.hibernate()
  const refused = await session.execute('kept').catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(SessionClosedError)
  expect((refused as Error).message).toMatch(
    /closed: 3 interpreters in a row ended while loading it; the last reason: the code called os\._exit\(3\)$/,
  )
  expect((refused as Error).cause).toBeInstanceOf(InterpreterCrashedError)
  expect(session.state).toBe('closed')
  await expect(session.execute('1')).rejects.toThrow(/3 interpreters in a row ended/)
  expect(counted().crashes).toBe(3)
  expect((await neighbour.execute('x')).value).toBe(1)
})

test('a crash error says what the Python code did', async () => {
  const manager = await sharedManager({ slots: 4 })
  await using session = await manager.createSession({ checkpoint: 'manual' })
  const reasons: readonly (readonly [code: string, reason: string])[] = [
    ['import os; os._exit(3)', 'the code called os._exit(3)'],
    ['import os; os.abort()', 'the code called os.abort(), or CPython met a fatal error'],
  ]
  for (const [code, reason] of reasons) {
    const error: unknown = await session.execute(code).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ name: 'InterpreterCrashedError', reason, outcome: 'restored' })
    expect((error as Error).message).toBe(
      `the interpreter crashed: ${reason}; the session continues from its last checkpoint`,
    )
  }
})

test('B3, F14: a restore that never ends is stopped, and the session can be restored from another snapshot', async () => {
  const build = new HostileBuild()
  onTestFinished(() => build.remove())
  build.setConstant('src/session/take-over.js', 'ATTACH_MS', 250)
  const { SessionManager } = (await import(`${build.dist}src/index.js`)) as typeof Brumate
  await using manager = await SessionManager.create({ cacheDir: inject('cacheDir'), slots: 1 })
  const session = await manager.createSession({ checkpoint: 'manual' })
  await session.execute('kept = 1')
  const good = await session.snapshotState()
  await session.execute(ON_THAW)
  await session.execute('on_thaw(spin)')
  await session.hibernate()
  await expect(session.execute('kept')).rejects.toThrow(/loading the session took longer than \d+ ms/)
  expect(session.state).toBe('dormant')
  await session.restoreState(good)
  expect((await session.execute('kept')).value).toBe(1)
})
