// A cluster on this machine: Restate's server, a balancer, and service processes, which can be killed and restarted. Owns the
// processes.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, open, readFile, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Balancer } from './balancer.js'

const SERVICE = fileURLToPath(new URL('service.js', import.meta.url))
/** The package that depends on the server. The path starts from the compiled file in `dist`. */
const PACKAGE = new URL('../../../examples/restate/package.json', import.meta.url)
const LONGEST_START_MS = 60_000

/** Path of Restate's server: `BRUMATE_RESTATE_SERVER`, or from `npm install --prefix examples/restate`, or the one on the path. */
export function findServer(): string | undefined {
  const { BRUMATE_RESTATE_SERVER: given } = process.env
  if (given) return given
  const name = `@restatedev/restate-server-${process.platform}-${process.arch}/bin/restate-server`
  try {
    return createRequire(PACKAGE).resolve(name)
  } catch {
    const found = spawnSync('sh', ['-c', 'command -v restate-server'], { encoding: 'utf8' }).stdout?.trim()
    return found && existsSync(found) ? found : undefined
  }
}

export interface ClusterOptions {
  /** Path of Restate's server. */
  readonly server: string
  /** An empty directory, where the server and the store keep their data. */
  readonly directory: string
  /** Environment of the service processes. */
  readonly env?: Readonly<Record<string, string>>
}

export interface Service {
  readonly port: number
  readonly process: ChildProcess
}

export class Cluster {
  readonly services: Service[] = []
  readonly #options: ClusterOptions
  readonly #server: ChildProcess
  readonly #balancer: Balancer
  readonly #adminUrl: string
  readonly ingressUrl: string

  private constructor(options: ClusterOptions, server: ChildProcess, balancer: Balancer, ports: number[]) {
    this.#options = options
    this.#server = server
    this.#balancer = balancer
    this.ingressUrl = `http://127.0.0.1:${ports[0]}`
    this.#adminUrl = `http://127.0.0.1:${ports[1]}`
  }

  /** Starts this many service processes. Restate knows all of them by the balancer's address. */
  static async start(options: ClusterOptions, services = 2): Promise<Cluster> {
    const ports = await Promise.all([freePort(), freePort(), freePort()])
    const cluster = new Cluster(options, await startServer(options, ports), await Balancer.start(), ports)
    try {
      await until(async () => (await fetch(`${cluster.#adminUrl}/health`)).ok)
      await Promise.all(Array.from({ length: services }, () => cluster.startService()))
      const body = JSON.stringify({ uri: cluster.#balancer.url })
      const registered = await fetch(`${cluster.#adminUrl}/deployments`, {
        method: 'POST',
        headers: JSON_TYPE,
        body,
      })
      if (!registered.ok) throw new Error(`the service could not be registered: ${await registered.text()}`)
      // The ingress sees the service a little later.
      await until(async () => (await fetch(`${cluster.ingressUrl}/python/none/pending`)).ok)
    } catch (error) {
      await cluster.stop()
      throw error
    }
    return cluster
  }

  async startService(): Promise<Service> {
    const env = { ...process.env, ...this.#options.env, STORE: join(this.#options.directory, 'store') }
    await mkdir(env.STORE, { recursive: true })
    const child = spawn(process.execPath, [SERVICE], {
      env: { ...env, PORT: '0', RESTATE_LOGGING: 'ERROR' },
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const port = await new Promise<number>((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`a service process ended with ${code}`)))
      createInterface(child.stdout).on('line', (line) => {
        const found = /^port (\d+)$/.exec(line)
        if (found) resolve(Number(found[1]))
      })
    })
    const service = { port, process: child }
    this.services.push(service)
    this.#balancer.add(port)
    return service
  }

  /** Stops a process, as `kill -9` does; with SIGTERM, as a hosting platform does. */
  async kill(service: Service, signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
    await killed(service.process, signal)
    this.#remove(service)
  }

  /** Suspends a process and cuts it off, like a suspended machine. After `ms` it continues as if nothing had happened. */
  async freeze(service: Service, ms: number): Promise<void> {
    service.process.kill('SIGSTOP')
    this.#remove(service)
    await new Promise((resolve) => setTimeout(resolve, ms))
    service.process.kill('SIGCONT')
    this.services.push(service)
    this.#balancer.add(service.port)
  }

  #remove(service: Service): void {
    this.services.splice(this.services.indexOf(service), 1)
    this.#balancer.remove(service.port)
  }

  /** Calls a handler of a session, and waits for what it returns. */
  async call(session: string, handler: string, body?: unknown): Promise<unknown> {
    const given = body === undefined ? {} : { headers: JSON_TYPE, body: JSON.stringify(body) }
    const response = await fetch(`${this.ingressUrl}/python/${session}/${handler}`, {
      method: 'POST',
      ...given,
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${handler} of ${session}: ${response.status} ${text}`)
    return text === '' ? undefined : JSON.parse(text)
  }

  /** Cancels an invocation that `execute/send` has started. */
  async cancel(invocationId: string): Promise<void> {
    const response = await fetch(`${this.#adminUrl}/invocations/${invocationId}/cancel`, { method: 'PATCH' })
    if (!response.ok) throw new Error(`cannot cancel: ${await response.text()}`)
  }

  /** The number of entries in a call's journal. */
  async journalOf(invocationId: string): Promise<number> {
    const query = `select journal_size from sys_invocation where id = '${invocationId}'`
    const response = await fetch(`${this.#adminUrl}/query`, {
      method: 'POST',
      headers: { ...JSON_TYPE, accept: 'application/json' },
      body: JSON.stringify({ query }),
    })
    const { rows } = (await response.json()) as { readonly rows: { readonly journal_size: number }[] }
    return rows[0]?.journal_size ?? 0
  }

  async stop(): Promise<void> {
    await Promise.all([killed(this.#server), ...this.services.map((service) => killed(service.process))])
    this.#balancer.close()
  }
}

const JSON_TYPE = { 'content-type': 'application/json' }

async function startServer(
  { server, directory }: ClusterOptions,
  ports: readonly number[],
): Promise<ChildProcess> {
  const [ingress, admin, fabric] = ports
  const config = join(directory, 'restate.toml')
  // A small server that only this machine can reach, without telemetry.
  await writeFile(
    config,
    `disable-telemetry = true
default-num-partitions = 2
rocksdb-total-memory-size = "128 MiB"
bind-ip = "127.0.0.1"
bind-port = ${fabric}
listen-mode = "tcp"
log-filter = "warn"
[ingress]
bind-port = ${ingress}
[admin]
bind-port = ${admin}
disable-web-ui = true
`,
  )
  const log = await open(join(directory, 'restate.log'), 'w')
  const args = ['--no-logo', '--config-file', config, '--base-dir', join(directory, 'restate')]
  const env = { ...process.env, DO_NOT_TRACK: '1' }
  const child = spawn(server, args, { env, cwd: directory, stdio: ['ignore', log.fd, log.fd] })
  child.once('exit', async (code) => {
    if (code) console.error(await readFile(join(directory, 'restate.log'), 'utf8'))
  })
  await log.close()
  return child
}

async function killed(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill(signal)
  await ended
}

/** Polls until `ask` resolves to true. */
export async function until(ask: () => Promise<boolean>): Promise<void> {
  const lastMs = performance.now() + LONGEST_START_MS
  for (;;) {
    if (await ask().catch(() => false)) return
    if (performance.now() > lastMs) throw new Error('what was waited for did not come')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { readonly port: number }
      server.close(() => resolve(port))
    })
  })
}
