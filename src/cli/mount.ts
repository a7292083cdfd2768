// `--mount DIR[:ro][:/PATH]`. Owns its form; what a mounted directory is, is src/vfs/storage.ts.
import { stat } from 'node:fs/promises'
import { UsageError } from './command.js'

export interface Mount {
  /** Of the host. */
  readonly directory: string
  readonly isReadOnly: boolean
  /** Where Python finds it. */
  readonly path: string
}

const DEFAULT_PATH = '/data'

/** The shortest DIR is taken, so that `:ro` and a path are never part of it. `:ro` may also stand last, as Docker has it. */
const FORM = /^(?<directory>.+?)(?<before>:ro)?(?::(?<path>\/[^:]*))?(?<after>:ro)?$/s

/** @throws UsageError */
export async function parseMount(text: string): Promise<Mount> {
  const { directory, before, path = DEFAULT_PATH, after } = FORM.exec(text)?.groups ?? {}
  if (directory === undefined) throw new UsageError('--mount: expected DIR, DIR:ro or DIR:ro:/PATH')
  const stats = await stat(directory).catch(() => undefined)
  if (!stats?.isDirectory()) throw new UsageError(`--mount ${text}: there is no directory ${directory}`)
  return { directory, isReadOnly: (before ?? after) !== undefined, path }
}
