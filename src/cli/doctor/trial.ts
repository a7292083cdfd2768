// The checks of `brumate doctor` that run Python: the image, a session, a result, an interrupt.
import { SessionManager } from '../../manager.js'
import type { Session } from '../../session.js'
import { BrumateError, TimeoutError } from '../../shared/errors.js'
import { messageOf } from '../../shared/thrown.js'
import { durationText } from '../units.js'
import type { Finding } from './check.js'

export interface TrialOptions {
  readonly image: string | undefined
  readonly cacheDir: string | undefined
  readonly onProgress: (text: string) => void
}

const LOOP_MS = 100
/** Far longer than this takes on a busy machine. */
const STUCK_MS = 10_000

/** Stops at the first problem, because each step needs the ones before it. */
export async function* tryPython({ image, cacheDir, onProgress }: TrialOptions): AsyncGenerator<Finding> {
  let isBuilt = false
  const opened = await attempt('image', async () => {
    const manager = await SessionManager.create({
      ...{ slots: 1, limits: { executionTimeoutMs: STUCK_MS } },
      ...(image === undefined ? {} : { image }),
      ...(cacheDir === undefined ? {} : { cacheDir }),
      onProgress: () => {
        isBuilt = true
        onProgress('building the image …')
      },
    })
    return { result: manager, message: isBuilt ? 'built' : 'opened' }
  })
  yield opened.finding
  if (opened.result === undefined) return
  await using manager = opened.result
  const started = await attempt('session', async () => {
    const session = await manager.createSession()
    const { value } = await session.execute('import sys; sys.version.split()[0]')
    return { result: session, message: `runs Python ${String(value)}` }
  })
  yield started.finding
  if (started.result !== undefined) yield* tryCode(started.result)
}

async function* tryCode(session: Session): AsyncGenerator<Finding> {
  const computed = await attempt('result', async () => {
    const { value } = await session.execute('sum(n * n for n in range(1000))')
    if (value !== 332_833_500) throw new Error(`a sum is wrong: ${String(value)}`)
    return { result: value, message: 'a sum is right' }
  })
  yield computed.finding
  const interrupted = await attempt('interrupt', async () => {
    const error: unknown = await session.execute('while True: pass', { timeoutMs: LOOP_MS }).then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    if (!(error instanceof TimeoutError)) throw error ?? new Error('an endless loop ended')
    if (error.outcome !== 'interrupted')
      throw new Error(`an endless loop was not interrupted: ${error.message}`)
    return { result: true, message: 'an endless loop is interrupted, and the session continues' }
  })
  yield interrupted.finding
}

async function attempt<T>(
  name: string,
  work: () => Promise<{ result: T; message: string }>,
): Promise<{ readonly finding: Finding; readonly result: T | undefined }> {
  const startedMs = performance.now()
  try {
    const { result, message } = await work()
    const took = durationText(performance.now() - startedMs)
    return { finding: { name, status: 'ok', message: `${message}, in ${took}` }, result }
  } catch (error) {
    const message = messageOf(error, 'it failed for an unknown reason')
    const fix = remedyOf(error)
    return { finding: { name, status: 'problem', message, fix }, result: undefined }
  }
}

function remedyOf(error: unknown): string {
  const code = error instanceof BrumateError ? error.code : undefined
  switch (code) {
    case 'IMAGE':
      return 'make the image with this version: brumate image build --standard -o FILE'
    case undefined:
    case 'INSTALLATION':
      return 'reinstall brumate; if that does not help, report it with the output of brumate doctor --json'
    default:
      return 'the message says what is wrong; docs/errors.md describes each error'
  }
}
