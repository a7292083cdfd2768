// PostgreSQL and Redis for tests and chaos/stores/: on this machine, with a password, in a directory that is removed with them. Owns their
// settings; processes.ts starts and ends them.
import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  findProgram,
  postgresDirectories,
  type Server,
  startServer,
  temporaryDirectory,
  unprivileged,
} from './processes.js'

export const PASSWORD = 'very/secret pässword'
/** Undefined if PostgreSQL is not installed. */
export const initdb = findProgram('initdb', postgresDirectories())
/** Undefined if Redis is not installed. */
export const redisServer = findProgram('redis-server')

/** Starts a server that does not flush to disk: its data survives crashes of clients, but not of the machine. */
export async function startPostgres(): Promise<{ server: Server; url: string }> {
  if (initdb === undefined) throw new Error('PostgreSQL is not installed')
  const directory = temporaryDirectory()
  const [data, sockets, password] = ['data', 'sockets', 'password'].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ]
  const user = unprivileged()
  mkdirSync(sockets)
  writeFileSync(password, PASSWORD)
  if (user) for (const path of [directory, sockets, password]) chownSync(path, user.uid, user.gid)
  chmodSync(directory, 0o755)
  const environment = { cwd: directory, env: { PATH: process.env.PATH, TZ: 'UTC' }, ...user }
  const access = ['-U', 'owner', '-A', 'scram-sha-256', `--pwfile=${password}`]
  execFileSync(initdb, ['-D', data, ...access, '-E', 'UTF8', '--locale=C', '--no-sync'], {
    ...environment,
    stdio: 'pipe',
  })
  const settings = {
    listen_addresses: '',
    unix_socket_directories: sockets,
    fsync: 'off',
    shared_buffers: '16MB',
  }
  const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const program = join(initdb, '../postgres')
  const server = await startServer(
    program,
    ['-D', data, ...args],
    /ready to accept connections/,
    directory,
    // SIGINT ends the server without waiting for its clients.
    { ...environment, endSignal: 'SIGINT' },
  )
  const url = `postgresql://owner:${encodeURIComponent(PASSWORD)}@/postgres?host=${encodeURIComponent(sockets)}`
  return { server, url }
}

export async function startRedis(port: number): Promise<{ server: Server; url: string }> {
  if (redisServer === undefined) throw new Error('Redis is not installed')
  const settings = { port: `${port}`, bind: '127.0.0.1', requirepass: PASSWORD, save: '', appendonly: 'yes' }
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value])
  const server = await startServer(redisServer, args, /Ready to accept connections/, temporaryDirectory())
  return { server, url: `redis://:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}` }
}
