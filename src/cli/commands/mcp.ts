// `brumate mcp`.
import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { deferred } from '../../deferred.js'
import { Image } from '../../image.js'
import { SessionManager } from '../../manager.js'
import type { Tokens } from '../../mcp/access.js'
import { type McpOptions, serveHttp, serveStdio } from '../../mcp/index.js'
import { messageOf } from '../../shared/thrown.js'
import type { SnapshotStore } from '../../store/store.js'
import { type Command, type CommandInput, integerOf, textOf, textsOf, UsageError } from '../command.js'
import { openStore, STORE_OPTIONS } from '../open-store.js'
import { PACKAGE_OPTIONS, packageOptions } from '../package-options.js'

const MiB = 2 ** 20
/** A client that starts the server again after a crash waits for the old one's leases. */
const LEASE_MS = 10_000

export const mcp: Command = {
  usage: '[--store STORE] [--http PORT] [--connect COMMAND]… [OPTIONS]',
  about:
    'Serves Python sessions to an MCP client, over stdin and stdout or over HTTP. With a store, sessions survive restarts: every result is stored before it is sent. STORE is a directory, which is made if it is missing, or as of `brumate store salvage`; BRUMATE_STORE names it, too. Without a store, sessions end with the server.',
  options: {
    store: { type: 'string', value: 'STORE', help: 'where sessions are kept' },
    http: { type: 'string', value: 'PORT', help: 'serve HTTP on this port, instead of stdin and stdout' },
    host: { type: 'string', value: 'ADDRESS', help: 'HTTP: address to listen on; default: 127.0.0.1' },
    'allow-host': {
      ...{ type: 'string', multiple: true, value: 'NAME' },
      help: 'HTTP: a name that clients reach the server by',
    },
    'allow-origin': {
      ...{ type: 'string', multiple: true, value: 'NAME' },
      help: 'HTTP: host name of web pages that may call',
    },
    'token-file': {
      ...{ type: 'string', value: 'FILE' },
      help: 'HTTP: lines of TENANT TOKEN; clients need a token, and each tenant has its own sessions',
    },
    connect: {
      ...{ type: 'string', multiple: true, value: '[NAME=]COMMAND' },
      help: 'another MCP server, whose tools Python calls as tools.NAME',
    },
    timeout: { type: 'string', value: 'SECONDS', help: 'how long code may run by default; default: 30' },
    memory: { type: 'string', value: 'MIB', help: 'memory of a session; default: 256' },
    slots: { type: 'string', value: 'N', help: 'sessions that run at a time; default: 4 for each core' },
    image: { type: 'string', value: 'FILE', help: 'an image file of `brumate image build`' },
    ...PACKAGE_OPTIONS,
    ...STORE_OPTIONS,
  },
  positionals: [0, 0],
  async run(input) {
    const { values, signal, progress } = input
    const port = integerOf(values, 'http', 0, 65_535)
    for (const name of ['host', 'token-file', 'allow-host', 'allow-origin'])
      if (port === undefined && values[name] !== undefined) throw new UsageError(`--${name} is for --http`)
    const tokens = await tokensOf(textOf(values, 'token-file'))
    const timeoutSeconds = integerOf(values, 'timeout', 1, 86_400) ?? 30
    const memoryMiB = integerOf(values, 'memory', 64, 4096) ?? 256
    const slots = integerOf(values, 'slots', 1, 1024)
    const cacheDir = textOf(values, 'cache-dir')
    await using store = disposable(await storeOf(values))
    progress.show('opening the image …')
    const image = await imageOf(input)
    await using manager = await SessionManager.create({
      ...(image === undefined ? {} : { image }),
      ...(slots === undefined ? {} : { slots }),
      ...(store.given === undefined ? {} : { store: store.given, durability: 'checkpoint' as const }),
      ...(cacheDir === undefined || image !== undefined ? {} : { cacheDir }),
      leaseMs: LEASE_MS,
    })
    progress.clear()
    const options: McpOptions = {
      manager,
      limits: { executionTimeoutMs: timeoutSeconds * 1000, memoryBytes: memoryMiB * MiB },
      maxTimeoutMs: Math.max(600, timeoutSeconds) * 1000,
      connect: textsOf(values, 'connect'),
      // Stdout belongs to the protocol.
      onError: (error) => process.stderr.write(`brumate mcp: ${error.message}\n`),
    }
    const [stopped, stopListening] = untilStopped(signal)
    try {
      if (port === undefined) {
        await using server = await serveStdio(options)
        await Promise.race([server.closed, stopped])
        return { text: '', json: null }
      }
      const host = textOf(values, 'host')
      const allowedHosts = textsOf(values, 'allow-host')
      await using server = await serveHttp({
        ...{ ...options, port, allowedOrigins: textsOf(values, 'allow-origin') },
        ...(host === undefined ? {} : { host }),
        ...(allowedHosts.length === 0 ? {} : { allowedHosts }),
        ...(tokens === undefined ? {} : { tokens }),
      })
      process.stderr.write(`brumate mcp: serving ${server.url}\n`)
      await stopped
      return { text: 'stopped', json: null }
    } finally {
      stopListening()
    }
  },
}

/** SIGTERM is how clients and service managers stop a server: sessions are stored before the process ends. */
function untilStopped(signal: AbortSignal): readonly [stopped: Promise<void>, stopListening: () => void] {
  const { promise: stopped, resolve } = deferred<void>()
  const stop = () => resolve()
  process.once('SIGTERM', stop)
  signal.addEventListener('abort', stop, { once: true })
  return [stopped, () => process.off('SIGTERM', stop)]
}

async function storeOf(values: CommandInput['values']): Promise<SnapshotStore | undefined> {
  const given = textOf(values, 'store') ?? process.env.BRUMATE_STORE
  if (given === undefined || given === '') return undefined
  const onDamaged = (error: Error) => process.stderr.write(`brumate mcp: ${error.message}\n`)
  return openStore(expandHome(given), values, { onDamaged, makesMissing: true })
}

function disposable(given: SnapshotStore | undefined) {
  return { given, [Symbol.asyncDispose]: async () => given?.close?.() }
}

async function imageOf(input: CommandInput): Promise<Image | undefined> {
  const { values } = input
  const file = textOf(values, 'image')
  const wants = ['package', 'requirements'].some((name) => values[name] !== undefined)
  if (file !== undefined && wants) throw new UsageError('--image has its own packages: give no -p and no -r')
  if (file !== undefined) return Image.load(expandHome(file))
  return wants ? Image.build(packageOptions(input)) : undefined
}

/** Clients start the program without a shell. */
function expandHome(path: string): string {
  return path.startsWith('~/') ? join(homedir(), path.slice(2)) : path
}

async function tokensOf(file: string | undefined): Promise<Tokens | undefined> {
  if (file === undefined) return undefined
  let content: string
  try {
    content = await readFile(file, 'utf8')
  } catch (cause) {
    throw new UsageError(`--token-file: ${messageOf(cause, file)}`)
  }
  const tokens: Record<string, string> = Object.create(null)
  for (const [i, line] of content.split('\n').entries()) {
    const words = line.trim().split(/\s+/)
    if (words[0] === '' || words[0]?.startsWith('#')) continue
    const [tenant, token] = words
    if (tenant === undefined || token === undefined || words.length > 2 || tenant in tokens)
      throw new UsageError(`--token-file: line ${i + 1}: expected TENANT TOKEN, each tenant once`)
    tokens[tenant] = token
  }
  return tokens
}
