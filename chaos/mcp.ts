// Kills an MCP server in the middle of calls, and restarts it on the same store: it must not lose anything that it has acknowledged.
// `npm run build && node dist/chaos/mcp.js` makes 1,000 calls in 20 sessions over stdio and over HTTP; a test makes fewer.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'

export interface McpChaosOptions {
  readonly transport: 'stdio' | 'http'
  readonly calls: number
  readonly sessions: number
  /** Kills of the server, spread evenly over the calls. */
  readonly kills: number
  /** The package's root. */
  readonly root: string
  readonly cacheDir: string
  /** Of Node, for the servers. */
  readonly nodeArgs?: readonly string[]
}

export interface McpChaosReport {
  readonly transport: string
  readonly calls: number
  readonly sessions: number
  readonly kills: number
  /** Calls that got no answer because of a kill. */
  readonly interrupted: number
  /** Sessions that had lost acknowledged state. Must be 0. */
  readonly lost: number
  readonly callsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

/** The clients of one instance of the server. */
interface Connection {
  readonly pid: number
  client(session: number): Client
  close(): Promise<void>
}

const NEXT = 'n = globals().get("n", 0) + 1\nn'

export async function mcpChaos(options: McpChaosOptions): Promise<McpChaosReport> {
  const { transport, calls, sessions, kills } = options
  const store = mkdtempSync(join(tmpdir(), 'brumate-mcp-'))
  const latenciesMs: number[] = []
  let started = 0
  let killed = 0
  let interrupted = 0
  let lost = 0
  let connection = connect(options, store)
  const startedMs = performance.now()
  const killIfDue = async () => {
    if (killed >= kills || started < ((killed + 1) * calls) / (kills + 1)) return
    killed++
    const { pid, close } = await connection
    process.kill(pid, 'SIGKILL')
    connection = close().then(() => connect(options, store))
  }
  const work = async (session: number) => {
    let answered = 0
    while (started < calls) {
      started++
      const current = connection
      const sentMs = performance.now()
      const call = current.then(({ client }) => run(client(session), `s${session}`))
      await killIfDue()
      const value = await call.catch(() => undefined)
      if (value === undefined) {
        interrupted++
        continue
      }
      latenciesMs.push(performance.now() - sentMs)
      // A call that got no answer may have been stored all the same.
      if (value <= answered) lost++
      answered = value
    }
  }
  try {
    await Promise.all(Array.from({ length: sessions }, (_, session) => work(session)))
  } finally {
    await (await connection).close()
    rmSync(store, { recursive: true, force: true, maxRetries: 3 })
  }
  const seconds = (performance.now() - startedMs) / 1000
  const sorted = latenciesMs.sort((a, b) => a - b)
  const quantile = (share: number) => Math.round(sorted[Math.floor((sorted.length - 1) * share)] ?? 0)
  return {
    ...{ transport, calls, sessions, kills: killed, interrupted, lost },
    callsPerSecond: Math.round(sorted.length / seconds),
    ...{ p50Ms: quantile(0.5), p99Ms: quantile(0.99), maxMs: quantile(1) },
  }
}

/** Rejects if the server ends. */
async function run(client: Client, session: string): Promise<number> {
  const result = await client.callTool({ name: 'run_python', arguments: { code: NEXT, session } })
  const value = (result.structuredContent as { value?: unknown } | undefined)?.value
  if (typeof value !== 'number') throw new Error(JSON.stringify(result))
  return value
}

function connect(options: McpChaosOptions, store: string): Promise<Connection> {
  const { root, transport, cacheDir, nodeArgs = [] } = options
  const args = [...nodeArgs, join(root, 'chaos/mcp-server.mjs'), transport, store, cacheDir]
  return transport === 'stdio' ? overStdio(args) : overHttp(args, options.sessions)
}

async function overStdio(args: string[]): Promise<Connection> {
  const transport = new StdioClientTransport({ command: process.execPath, args })
  const client = new Client({ name: 'chaos', version: '1' })
  await client.connect(transport)
  return { pid: transport.pid ?? 0, client: () => client, close: () => client.close() }
}

/** Creates a client for each session. */
async function overHttp(args: string[], count: number): Promise<Connection> {
  const server: ChildProcess = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(server, 'exit')
  const lines = createInterface({ input: server.stdout as NodeJS.ReadableStream })
  const [url] = (await Promise.race([once(lines, 'line'), ended])) as [string]
  const clients = await Promise.all(
    Array.from({ length: count }, async () => {
      const client = new Client({ name: 'chaos', version: '1' })
      await client.connect(new StreamableHTTPClientTransport(new URL(url)))
      return client
    }),
  )
  return {
    pid: server.pid ?? 0,
    client: (session) => clients[session] as Client,
    close: async () => {
      await Promise.all(clients.map((client) => client.close().catch(() => {})))
      server.kill('SIGKILL')
      await ended
    },
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = fileURLToPath(new URL('../../', import.meta.url))
  const cacheDir = join(root, 'node_modules/.cache/brumate')
  for (const transport of ['stdio', 'http'] as const) {
    const report = await mcpChaos({ transport, calls: 1000, sessions: 20, kills: 1, root, cacheDir })
    console.log(report)
    if (report.lost > 0) process.exitCode = 1
  }
}
