// Servers that tests start and end, in a temporary directory. Owns finding their programs; nothing of them outlives the test.
import { type ChildProcess, execFileSync, type SpawnOptions, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'

export interface Server {
  readonly directory: string
  stop(): Promise<void>
}

/** The program's path; undefined if it is not installed. */
export function findProgram(name: string, directories: readonly string[] = []): string | undefined {
  const all = [...(process.env.PATH ?? '').split(delimiter), ...directories]
  return all.map((directory) => join(directory, name)).find((path) => existsSync(path))
}

/** Debian installs PostgreSQL's programs outside the path, in a folder for each version. */
export function postgresDirectories(): string[] {
  const versions = '/usr/lib/postgresql'
  const found = existsSync(versions) ? readdirSync(versions) : []
  return found.sort((a, b) => Number(b) - Number(a)).map((version) => join(versions, version, 'bin'))
}

/** PostgreSQL refuses to run as root: use the user of Debian's package, or nobody. Undefined if not root. */
export function unprivileged(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  for (const user of ['postgres', 'nobody']) {
    try {
      const number = (flag: string) => Number(execFileSync('id', [flag, user], { stdio: 'pipe' }))
      return { uid: number('-u'), gid: number('-g') }
    } catch {}
  }
  throw new Error('root needs a user `postgres` or `nobody` to run PostgreSQL as')
}

export function temporaryDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'brumate-server-'))
}

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (typeof address !== 'object' || address === null) throw new Error('there is no free port')
  return address.port
}

/** Starts a server and waits until its output says that it is ready. */
export async function startServer(
  program: string,
  args: readonly string[],
  ready: RegExp,
  directory: string,
  options: SpawnOptions & { readonly endSignal?: NodeJS.Signals } = {},
): Promise<Server> {
  const { endSignal = 'SIGTERM', ...spawnOptions } = options
  const child: ChildProcess = spawn(program, args, {
    cwd: directory,
    ...spawnOptions,
    stdio: ['ignore', 'pipe', 'pipe'],
  } as SpawnOptions)
  const endWithTest = () => child.kill('SIGKILL')
  process.once('exit', endWithTest)
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  let output = ''
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => reject(new Error(`${program} ended (${code}):\n${output}`)))
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text) => {
        output = (output + text).slice(-10_000)
        if (ready.test(output)) resolve()
      })
  })
  return {
    directory,
    stop: async () => {
      child.kill(endSignal)
      await ended
      process.off('exit', endWithTest)
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
