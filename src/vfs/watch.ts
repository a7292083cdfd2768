// Changes in a storage, as an async iterator. Owns the buffer between the storage, which does not wait, and a reader that may be
// slow: the buffer is bounded, and dropped changes are reported as `lost`.
import { CancelledError } from '../shared/errors.js'
import type { Change } from '../shared/messages/storage.js'
import { textOf } from './paths.js'
import type { StorageThread } from './thread.js'

export interface StorageChange {
  /** `lost`: some changes were dropped, so read everything again. A rename is reported as `removed` and `created`. */
  readonly type: 'created' | 'changed' | 'removed' | 'lost'
  /** Absolute within the storage. */
  readonly path: string
}

const MAX_KEPT = 4096

/** Starts listening immediately, not at the first `next()`. */
export function watch(
  thread: StorageThread,
  signal: AbortSignal | undefined,
): AsyncIterableIterator<StorageChange> {
  const kept: StorageChange[] = []
  let lost = false
  let done = false
  /** Pending `next()` calls, of which there may be several. */
  const waiting: (() => void)[] = []
  const wake = () => {
    for (const resolve of waiting.splice(0)) resolve()
  }
  const listener = (changes: readonly Change[], more: boolean) => {
    for (const { type, path } of changes) {
      if (kept.length >= MAX_KEPT) lost = true
      else kept.push({ type, path: textOf(path) })
    }
    lost ||= more
    if (thread.isClosed) done = true
    wake()
  }
  const stop = () => {
    done = true
    thread.unlisten(listener)
    signal?.removeEventListener('abort', stop)
    wake()
  }
  thread.listen(listener)
  signal?.addEventListener('abort', stop)
  if (signal?.aborted) stop()
  return {
    async next() {
      for (;;) {
        if (signal?.aborted) throw new CancelledError('interrupted', { cause: signal.reason })
        const value = kept.shift()
        if (value) return { done: false, value }
        if (lost) {
          lost = false
          return { done: false, value: { type: 'lost', path: '/' } }
        }
        if (done) return { done: true, value: undefined }
        await new Promise<void>((resolve) => waiting.push(resolve))
      }
    },
    async return() {
      stop()
      kept.length = 0
      lost = false
      return { done: true, value: undefined }
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}
