// Locks that were made before, so that a process that asks for the same packages again needs no network. Owns what makes two questions
// the same, and the files below the cache directory; those must belong to this process's user, as images must.
import { createHash, randomUUID } from 'node:crypto'
import { lstat, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { NotOwnError, ownDirectory, requireOwn } from '../image/ownership.js'
import { PackageError } from '../shared/errors.js'
import { type Lock, lockText, parseLock } from './lock.js'
import { type ResolveRequest, resolvePackages } from './resolve.js'
import { indexSetting, thisMachine } from './settings.js'

/** Grows with every change of what is chosen for the same question. */
const RESOLVER_VERSION = 1

/** As `resolvePackages`, but remembers. @param cacheDir the library's cache directory */
export async function resolveOnce(request: ResolveRequest, cacheDir: string): Promise<Lock> {
  const path = join(cacheDir, 'locks', `${await keyOf(request)}.json`)
  const known = await read(path)
  if (known) return known
  const { lock } = await resolvePackages(request)
  await write(path, lock)
  return lock
}

/** Hashes all that the answer depends on, but for what an index has. */
async function keyOf(request: ResolveRequest): Promise<string> {
  const { release, requirements, constraints, indexUrl } = request
  const setting = indexUrl === undefined ? await indexSetting(thisMachine()) : indexUrl
  const lines = [...requirements, ...constraints]
  const question = {
    version: RESOLVER_VERSION,
    pyodide: release.version,
    requirements: requirements.map(({ text, hashes }) => [text, hashes]),
    constraints: constraints.map(({ text }) => text),
    index: typeof setting === 'object' && setting !== null ? setting.url : (setting ?? null),
    directories: await Promise.all(request.directories.map(describeDirectory)),
    files: await Promise.all(lines.map(({ text, directory }) => describeFile(text, directory))),
  }
  return createHash('sha256').update(JSON.stringify(question)).digest('hex')
}

async function describeDirectory(path: string): Promise<unknown> {
  const names = (await readdir(path).catch(() => [])).sort()
  const wanted = names.filter((name) => name.endsWith('.whl') || name.endsWith('.json'))
  return [resolve(path), await Promise.all(wanted.map((name) => describeFile(name, path)))]
}

/** Null for what is no file, such as a requirement. */
async function describeFile(text: string, directory: string): Promise<unknown> {
  const path = resolve(directory, text.replace(/\[[^\]]*\]$/, ''))
  const stats = await stat(path).catch(() => undefined)
  return stats?.isFile() ? [path, stats.size, stats.mtimeMs] : null
}

/** A file that somebody else may have put there, or that is damaged, counts as none. */
async function read(path: string): Promise<Lock | undefined> {
  try {
    if ((await ownDirectory(join(path, '..'))) === undefined) return undefined
    requireOwn(await lstat(path), path)
    return parseLock(JSON.parse(await readFile(path, 'utf8')))
  } catch (error) {
    const isKnown =
      error instanceof NotOwnError || error instanceof PackageError || error instanceof SyntaxError
    if (isKnown || (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Without a cache every process asks anew. */
async function write(path: string, lock: Lock): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`
  try {
    await mkdir(join(path, '..'), { recursive: true, mode: 0o700 })
    await writeFile(temporary, lockText(lock), { flag: 'wx', mode: 0o600 })
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    const { code } = error as NodeJS.ErrnoException
    if (!['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'ENOTDIR'].includes(code ?? '')) throw error
  }
}
