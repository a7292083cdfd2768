// `--mount DIR[:ro][:/PATH]`. Owns parsing it; src/vfs/storage.ts implements a mounted directory.
import { stat } from 'node:fs/promises'
import { UsageError } from './command.js'

export interface Mount {
  /** Path on the host. */
  readonly directory: string
  readonly isReadOnly: boolean
  /** Path in Python. */
  readonly path: string
}

const DEFAULT_PATH = '/data'

/** Matches the shortest DIR, so that it never includes `:ro` or a path. As in Docker, `:ro` may also come last. */
const FORM = /^(?<directory>.+?)(?<before>:ro)?(?::(?<path>\/[^:]*))?(?<after>:ro)?$/s

/** @throws UsageError */
export async function parseMount(text: string): Promise<Mount> {
  const { directory, before, path = DEFAULT_PATH, after } = FORM.exec(text)?.groups ?? {}
  if (directory === undefined) throw new UsageError('--mount: expected DIR, DIR:ro or DIR:ro:/PATH')
  const stats = await stat(directory).catch(() => undefined)
  if (!stats?.isDirectory()) throw new UsageError(`--mount ${text}: there is no directory ${directory}`)
  return { directory, isReadOnly: (before ?? after) !== undefined, path }
}
