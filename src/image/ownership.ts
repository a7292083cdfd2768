// Checks that only this process's user can have put something into a directory. Windows has no user ids: there these checks always pass,
// and the operator is responsible for the directory's access rights.
import type { Stats } from 'node:fs'
import { lstat, realpath } from 'node:fs/promises'
import { dirname } from 'node:path'

const OTHERS_WRITE = 0o002
const GROUP_WRITES = 0o020
const STICKY = 0o1000

/** Thrown if somebody else may have written the file or directory. The message says who, and what to do. */
export class NotOwnError extends Error {
  override readonly name = 'NotOwnError'
}

/** Returns undefined if the platform has no user ids. */
function userId(): number | undefined {
  return process.geteuid?.()
}

/**
 * Resolves the directory's symbolic links, and checks that it belongs to this user or root, that nobody else can write to it, and that
 * nobody else can replace it. Returns undefined if it does not exist or cannot be reached.
 *
 * @throws NotOwnError
 */
export async function ownDirectory(directory: string): Promise<string | undefined> {
  if (userId() === undefined) return directory
  const real = await realpath(directory).catch(() => undefined)
  if (real === undefined) return undefined
  let path = real
  requireOwn(await lstat(path), path)
  for (let parent = dirname(path); parent !== path; path = parent, parent = dirname(path)) {
    const { mode } = await lstat(parent)
    // In a sticky directory, such as /tmp, only the owner of an entry can replace it.
    if ((mode & OTHERS_WRITE) !== 0 && (mode & STICKY) === 0)
      throw new NotOwnError(`everybody can write to ${parent}, which contains it; run chmod o-w on that`)
  }
  return real
}

/** @throws NotOwnError */
export function requireOwn({ uid, mode }: Stats, path: string): void {
  const own = userId()
  if (own === undefined) return
  if (uid !== own && uid !== 0)
    throw new NotOwnError(`${path} belongs to user ${uid}, this process is user ${own}; remove it`)
  if ((mode & (OTHERS_WRITE | GROUP_WRITES)) === 0) return
  const who = (mode & OTHERS_WRITE) === 0 ? 'its group' : 'everybody'
  throw new NotOwnError(`${who} can write to ${path}; run chmod go-w on it, or remove it`)
}
