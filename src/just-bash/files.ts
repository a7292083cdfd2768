// The files of the shell for one run of Python: copied in before, and what changed copied out after. Owns which files, and how many.
import { posix } from 'node:path'
import type { IFileSystem } from 'just-bash'
import type { ExecuteResult } from '../session/outcome.js'
import type { SessionFiles } from '../session/session-files.js'

/** Directories in `/` that are Python's own, or the shell's. They are not copied. */
export const SYSTEM = ['bin', 'dev', 'etc', 'lib', 'proc', 'sys', 'usr']

export interface FileBounds {
  /** Most files and directories that are copied in. */
  readonly maxFiles: number
  /** Most bytes of all of them. */
  readonly maxFileBytes: number
}

/** The shell has more files than the bounds allow; the message says what to do. */
export class TooManyFilesError extends Error {
  override readonly name = 'TooManyFilesError'
}

/** @returns directories that are there now, apart from the system's */
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
      // Links to directories are left out: they may lead in circles.
      if (entry.isSymbolicLink && !(await isFile(fs, path))) continue
      // Before it is read: a file of the disk may be larger than the memory.
      bytes += entry.isSymbolicLink ? (await fs.stat(path)).size : entry.size
      if (isTooMany()) throw tooMany(bounds)
      const content = await fs.readFileBuffer(path)
      await files.writeFile(path, content)
    }
  }
  return directories
}

/**
 * @param before directories of `copyIn`
 * @param after those that Python says are there
 * @returns what the shell's file system refused, or was left out
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
  // The deepest first.
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
