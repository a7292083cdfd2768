// `files.watchDir`: changes below a directory, in E2B's form. Owns which changes are reported to a watcher, and when the watch ends.
import { CancelledError } from '../shared/errors.js'
import type { VfsStorage } from '../vfs/storage.js'
import type { StorageChange } from '../vfs/watch.js'
import { SandboxError } from './errors.js'

/** Values of E2B's enum of the same name. A rename is REMOVE and CREATE. */
export const FilesystemEventType = {
  CHMOD: 'chmod',
  CREATE: 'create',
  REMOVE: 'remove',
  RENAME: 'rename',
  WRITE: 'write',
} as const
export type FilesystemEventType = (typeof FilesystemEventType)[keyof typeof FilesystemEventType]

export interface FilesystemEvent {
  /** Relative to the watched directory. */
  name: string
  type: FilesystemEventType
}

export interface WatchOpts {
  /** How long the watch lasts, in ms; 0: forever. Default 60,000. */
  timeoutMs?: number
  /** Called once when the watch ends; with an error if changes were lost, or a listener failed. */
  onExit?: (error?: Error) => void | Promise<void>
  /** Whether to report changes in directories below, too. Default false. */
  recursive?: boolean
}

const DEFAULT_TIMEOUT_MS = 60_000
const TYPES = { created: 'create', changed: 'write', removed: 'remove' } as const

export class WatchHandle {
  readonly #ending = new AbortController()
  readonly #ended: Promise<void>

  /** @internal @param directory within the storage */
  constructor(
    storage: VfsStorage,
    directory: string,
    onEvent: (event: FilesystemEvent) => void | Promise<void>,
    { timeoutMs = DEFAULT_TIMEOUT_MS, onExit, recursive = false }: WatchOpts,
  ) {
    const { signal } = this.#ending
    const changes = storage.watch({ signal })
    const timer = timeoutMs === 0 ? undefined : setTimeout(() => this.#ending.abort(), timeoutMs).unref()
    const prefix = directory === '/' ? '/' : `${directory}/`
    this.#ended = watch(changes, prefix, recursive, onEvent)
      .then(
        () => onExit?.(),
        (error: Error) => onExit?.(error instanceof CancelledError ? undefined : error),
      )
      .finally(() => clearTimeout(timer))
  }

  async stop(): Promise<void> {
    this.#ending.abort()
    await this.#ended
  }
}

async function watch(
  changes: AsyncIterable<StorageChange>,
  prefix: string,
  recursive: boolean,
  onEvent: (event: FilesystemEvent) => void | Promise<void>,
): Promise<void> {
  for await (const { type, path } of changes) {
    if (type === 'lost')
      throw new SandboxError('the listener was too slow and changes were lost; list the directory again')
    if (!path.startsWith(prefix)) continue
    const name = path.slice(prefix.length)
    if (name !== '' && (recursive || !name.includes('/'))) await onEvent({ name, type: TYPES[type] })
  }
}
