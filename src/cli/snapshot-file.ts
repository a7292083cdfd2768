// Snapshots as files on the command line. Owns reading and writing them; src/shared/snapshot/snapshot.ts has their content.
import { randomUUID } from 'node:crypto'
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { Snapshot } from '../shared/snapshot/snapshot.js'
import { messageOf } from '../shared/thrown.js'
import { UsageError } from './command.js'

/** Node cannot read a file of 2 GiB at once, and no snapshot is that large. */
const MAX_BYTES = 2 ** 31 - 1

/** @throws UsageError if there is no such file; SnapshotError if it is not a snapshot */
export async function readSnapshotFile(path: string): Promise<Snapshot> {
  let bytes: Buffer
  try {
    const stats = await stat(path)
    if (!stats.isFile()) throw new UsageError(`${path} is not a file`)
    if (stats.size > MAX_BYTES)
      throw new UsageError(`${path} is too large for a snapshot: ${stats.size} bytes`)
    bytes = await readFile(path)
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError(messageOf(error, `${path} cannot be read`))
  }
  return Snapshot.fromBytes(bytes)
}

/**
 * Checks the directory of an output file, so that the error comes before the code runs.
 *
 * @throws UsageError
 */
export async function requireDirectoryOf(option: string, path: string): Promise<void> {
  const directory = dirname(resolve(path))
  const stats = await stat(directory).catch(() => undefined)
  if (!stats?.isDirectory()) throw new UsageError(`${option} ${path}: there is no directory ${directory}`)
}

/** Writes atomically: a reader sees the old file or the new one. Only its user may read it: a snapshot has all of a session's data. */
export async function writeSnapshotFile(path: string, snapshot: Snapshot): Promise<void> {
  const temporary = `${resolve(path)}.${randomUUID()}.tmp`
  try {
    await writeFile(temporary, snapshot.toBytes(), { flag: 'wx', mode: 0o600 })
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw new UsageError(`the snapshot cannot be written: ${messageOf(error, path)}`)
  }
}
