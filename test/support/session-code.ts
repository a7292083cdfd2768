// Helpers that session tests share: Python source in template strings, and the reason for a promise's rejection.
// Owns no session and no claim.
import { BrumateError, type ExecuteOptions, type ExecuteResult, PythonError, type Session } from 'brumate'
import { expect } from 'vitest'

export { py } from './py.js'

/** The reason for the promise's rejection; fails the test if the promise is fulfilled. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  const settled = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  )
  if ('error' in settled) return settled.error
  throw new Error(`expected a rejection, got ${JSON.stringify(settled.value)}`)
}

type ErrorClass<E> = abstract new (...args: never[]) => E

/** The reason for the rejection, which must be of that class. */
export async function rejectionOf<E extends Error>(
  expected: ErrorClass<E>,
  promise: Promise<unknown>,
): Promise<E> {
  const error = await rejection(promise)
  if (error instanceof expected) return error
  throw new Error(`expected a ${expected.name}, got ${String(error)}`, { cause: error })
}

/** The PythonError that the promise is rejected with. */
export function pythonErrorOf(promise: Promise<unknown>): Promise<PythonError> {
  return rejectionOf(PythonError, promise)
}

/** Line number and function of each frame of a traceback, outermost first. */
export function framesOf(error: PythonError): string[] {
  return [...error.traceback.matchAll(/^ *File ".*", line (\d+), in (\S+)$/gm)].map(
    ([, line, name]) => `${line} ${name}`,
  )
}

/** Every error of the library identifies itself in three ways that must agree: class, name and code. */
export function expectTyped(error: unknown, code: string): void {
  expect(error).toBeInstanceOf(BrumateError)
  expect(error).toMatchObject({ code, name: (error as Error).constructor.name })
}

export interface Started {
  readonly result: Promise<ExecuteResult>
}

/** Starts code and waits until it runs, which may be a while after the call on a busy machine. */
export async function start(session: Session, code: string, options: ExecuteOptions = {}): Promise<Started> {
  const { promise: started, resolve, reject } = deferred()
  // The first output, flushed: it arrives at once, whatever the code does next.
  const prelude = 'import time; print("started", end="", flush=True)\n'
  const result = session.execute(prelude + code, { ...options, onStdout: () => resolve() })
  result.catch(reject)
  await started
  return { result }
}

export function deferred(): {
  promise: Promise<void>
  resolve: () => void
  reject: (error: unknown) => void
} {
  let resolve = () => {}
  let reject: (error: unknown) => void = () => {}
  const promise = new Promise<void>((onValue, onError) => {
    resolve = onValue
    reject = onError
  })
  return { promise, resolve, reject }
}

export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

/** Waits until the condition holds. The test's own time limit ends it otherwise. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(2)
}
