// The shell's files during one run of Python: they are copied into the session before it, and changes are copied back after it. Owns which
// files are copied, and how many.
import { posix } from 'node:path'
import type { IFileSystem } from 'just-bash'
import type { ExecuteResult } from '../session/outcome.js'
import type { SessionFiles } from '../session/session-files.js'

/** Directories in `/` that belong to Python or the shell. They are not copied. */
export const SYSTEM = ['bin', 'dev', 'etc', 'lib', 'proc', 'sys', 'usr']

export interface FileBounds {
  /** Maximum number of files and directories that are copied in. */
  readonly maxFiles: number
  /** Maximum size of all of them, in bytes. */
  readonly maxFileBytes: number
}

/** The shell has more files than the limits allow. The message says what to do. */
export class TooManyFilesError extends Error {
  override readonly name = 'TooManyFilesError'
}

/** @returns the directories that exist now, without the system's */
export async function copyIn(fs: IFileSystem, files: SessionFiles, bounds: FileBounds): Promise<Set<string>> {
  const directories = new Set<string>()
  const todo = ['/']
  let [count, bytes] = [0, 0]
  for (let directory = todo.pop(); directory !== undefined; directory = todo.pop()) {
    for (const name of await fs.readdir(directory)) {
      if (directory === '/' && SYSTEM.includes(name)) continue
      const path = posix.join(directory, name)
      const entry = await fs.lstat(path)
      const isTooMany = () => ++count > bounds.maxFiles || bytes > bounds.maxFileBytes
      if (entry.isDirectory) {
        if (isTooMany()) throw tooMany(bounds)
        directories.add(path)
        todo.push(path)
        await files.mkdir(path, { recursive: true })
        continue
      }
      // Links to directories are left out, because they may form cycles.
      if (entry.isSymbolicLink && !(await isFile(fs, path))) continue
      // Checked before reading: a file on disk may be larger than memory.
      bytes += entry.isSymbolicLink ? (await fs.stat(path)).size : entry.size
      if (isTooMany()) throw tooMany(bounds)
      const content = await fs.readFileBuffer(path)
      await files.writeFile(path, content)
    }
  }
  return directories
}

/**
 * @param before the directories that `copyIn` returned
 * @param after the directories that Python reports
 * @returns messages about what the shell's file system rejected, or what was left out
 */
export async function copyOut(
  fs: IFileSystem,
  files: SessionFiles,
  { files: changed, moreFiles }: Pick<ExecuteResult, 'files' | 'moreFiles'>,
  before: ReadonlySet<string>,
  after: readonly string[],
): Promise<string[]> {
  const faults: string[] = []
  const attempt = async (path: string, change: () => Promise<void>) => {
    try {
      await change()
    } catch (error) {
      faults.push(`${path}: ${(error as Error).message}`)
    }
  }
  const kept = new Set(after)
  for (const { path, change } of changed)
    if (change === 'removed' && isCopied(path)) await attempt(path, () => fs.rm(path, { force: true }))
  // Deepest directories first.
  for (const path of [...before].reverse())
    if (!kept.has(path)) await attempt(path, () => fs.rm(path, { recursive: true, force: true }))
  for (const path of after)
    if (!before.has(path) && isCopied(path)) await attempt(path, () => fs.mkdir(path, { recursive: true }))
  for (const { path, change } of changed) {
    if (change === 'removed' || !isCopied(path)) continue
    await attempt(path, async () => {
      await fs.mkdir(posix.dirname(path), { recursive: true })
      await fs.writeFile(path, await files.readFile(path))
    })
  }
  if (moreFiles > 0) faults.push(`${moreFiles} more changed files were not copied back`)
  return faults
}

function isCopied(path: string): boolean {
  const [, top = ''] = path.split('/')
  return !SYSTEM.includes(top) && !path.startsWith('/home/pyodide')
}

function tooMany({ maxFiles, maxFileBytes }: FileBounds): TooManyFilesError {
  return new TooManyFilesError(
    `the shell has more than ${maxFiles} files and directories, or ${maxFileBytes} bytes; remove some, or raise maxFiles and maxFileBytes of pythonCommands`,
  )
}

async function isFile(fs: IFileSystem, path: string): Promise<boolean> {
  try {
    return (await fs.stat(path)).isFile
  } catch {
    return false
  }
}
