// A cache of locks, so that a process that needs the same packages again needs no network. Owns which requests are the same, and the files
// below the cache directory, which must belong to this process's user, like images.
import { createHash, randomUUID } from 'node:crypto'
import { lstat, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { NotOwnError, ownDirectory, requireOwn } from '../image/ownership.js'
import { PackageError } from '../shared/errors.js'
import { type Lock, lockText, parseLock } from './lock.js'
import { type ResolveRequest, resolvePackages } from './resolve.js'
import { indexSetting, thisMachine } from './settings.js'

/** Increment it with every change that chooses other wheels for the same request. */
const RESOLVER_VERSION = 1

/** Like `resolvePackages`, but cached. @param cacheDir the library's cache directory */
export async function resolveOnce(request: ResolveRequest, cacheDir: string): Promise<Lock> {
  const path = join(cacheDir, 'locks', `${await keyOf(request)}.json`)
  const known = await read(path)
  if (known) return known
  const { lock } = await resolvePackages(request)
  await write(path, lock)
  return lock
}

/** Hashes everything that the result depends on, except the contents of an index. */
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

/** Null if the text does not name a file, such as a requirement. */
async function describeFile(text: string, directory: string): Promise<unknown> {
  const path = resolve(directory, text.replace(/\[[^\]]*\]$/, ''))
  const stats = await stat(path).catch(() => undefined)
  return stats?.isFile() ? [path, stats.size, stats.mtimeMs] : null
}

/** Ignores a file that is damaged, or that another user may have put there. */
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

/** Ignores errors such as missing permissions or a full disk: without the cache, every process resolves again. */
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
