// The class that programs written for E2B use. Owns its methods, and finding open sandboxes; machine.ts implements a sandbox.
// biome-ignore-all lint/complexity/noThisInStatic: `new E2B(options)` makes a class with options of its own
import { randomBytes } from 'node:crypto'
import { withEnvironment } from './environment.js'
import { InvalidArgumentError, NotSupportedError, SandboxNotFoundError, withSandboxErrors } from './errors.js'
import { Filesystem } from './filesystem.js'
import { deleteSandbox, Machine, type Opened } from './machine.js'
import type { ManagerSource } from './manager-source.js'
import type { Execution } from './messaging.js'
import {
  actionOnTimeout,
  requireMemory,
  requireSupported,
  requireTemplate,
  type SandboxApiOpts,
  type SandboxOpts,
  sourceOfOptions,
  timeoutOf,
} from './options.js'
import { type ContextRecord, DEFAULT_CONTEXT } from './record.js'
import { type RunCodeOpts, runCode } from './run-code.js'
import {
  findSandbox,
  isSandboxId,
  type SandboxInfo,
  type SandboxListOpts,
  SandboxPaginator,
} from './sandbox-list.js'
import { Commands, Pty, refuse } from './unsupported.js'

/** A session with variables of its own. All contexts of a sandbox have the same files in `/home/user`. */
export interface Context {
  id: string
  language: string
  cwd: string
}

/** Python only. */
export type RunCodeLanguage = 'python' | (string & {})

export interface CreateCodeContextOpts {
  /** Working directory; created if it does not exist. Default `/home/user`. */
  cwd?: string
  language?: RunCodeLanguage
  requestTimeoutMs?: number
}

export type SandboxConnectOpts = SandboxApiOpts & Pick<SandboxOpts, 'limits' | 'timeoutMs'>
export type PauseOpts = SandboxApiOpts & {
  /** `false` is rejected: a paused session keeps its variables. */
  keepMemory?: boolean
}
type Init = Pick<SandboxOpts, 'manager' | 'limits'> & {
  readonly sandboxId: string
  readonly autoResume: boolean
}

const ID_BYTES = 10
const NO_FORK =
  'fork: a sandbox cannot be copied; fork a session of your own, with manager.createSession({ from: await session.snapshotState() })'
const NO_SNAPSHOT =
  'snapshots: a sandbox has none; pause() keeps it, and session.snapshotState() makes one of a session of your own'

/** Works like `Sandbox` of `@e2b/code-interpreter`, on Python sessions of this process. Errors are those of errors.ts. */
export class Sandbox {
  /** @internal Options that `new E2B(options)` binds. */
  static readonly defaults: SandboxOpts = {}

  readonly sandboxId: string
  readonly files: Filesystem
  readonly commands = new Commands()
  readonly pty = new Pty()
  readonly #init: Init
  readonly #source: ManagerSource

  /** @internal Use `Sandbox.create` or `Sandbox.connect`. */
  constructor(init: Init) {
    this.#init = init
    this.sandboxId = init.sandboxId
    this.#source = sourceOfOptions(init)
    this.files = new Filesystem(() => this.#running())
  }

  static create<S extends typeof Sandbox>(this: S, opts?: SandboxOpts): Promise<InstanceType<S>>
  static create<S extends typeof Sandbox>(
    this: S,
    template: string,
    opts?: SandboxOpts,
  ): Promise<InstanceType<S>>
  static create<S extends typeof Sandbox>(
    this: S,
    first?: string | SandboxOpts,
    second?: SandboxOpts,
  ): Promise<InstanceType<S>> {
    const [template, given] = typeof first === 'string' ? [first, second] : [undefined, first]
    const options = { ...this.defaults, ...given }
    return withSandboxErrors(async () => {
      requireTemplate(template)
      requireSupported(options)
      const { metadata = {}, envs = {}, limits = {}, lifecycle } = options
      const timeoutMs = timeoutOf(options.timeoutMs)
      const create = { metadata, envs, onTimeout: actionOnTimeout(options) }
      const sandboxId = `sbx${randomBytes(ID_BYTES).toString('hex')}`
      const source = sourceOfOptions(options)
      await new Machine(sandboxId, source, limits, create).start(timeoutMs)
      return new this({
        ...options,
        sandboxId,
        autoResume: lifecycle?.autoResume === true,
      }) as InstanceType<S>
    })
  }

  /** Connects to the sandbox with this id, in this process or in the manager's store. A paused one is resumed. */
  static connect<S extends typeof Sandbox>(
    this: S,
    sandboxId: string,
    opts?: SandboxConnectOpts,
  ): Promise<InstanceType<S>> {
    const sandbox = new this({ ...this.defaults, ...opts, sandboxId, autoResume: false })
    return sandbox.connect(opts) as Promise<InstanceType<S>>
  }

  /** Running and paused sandboxes of the manager's store. */
  static list(opts?: SandboxListOpts): SandboxPaginator {
    return new SandboxPaginator({ ...this.defaults, ...opts })
  }

  static kill(sandboxId: string, opts?: SandboxApiOpts): Promise<boolean> {
    return new this({ ...this.defaults, ...opts, sandboxId, autoResume: false }).kill()
  }

  static pause(sandboxId: string, opts?: PauseOpts): Promise<boolean> {
    return new this({ ...this.defaults, ...opts, sandboxId, autoResume: false }).pause(opts)
  }

  static betaPause(sandboxId: string, opts?: PauseOpts): Promise<boolean> {
    return this.pause(sandboxId, opts)
  }

  static getInfo(sandboxId: string, opts?: SandboxApiOpts): Promise<SandboxInfo> {
    return new this({ ...this.defaults, ...opts, sandboxId, autoResume: false }).getInfo()
  }

  static async setTimeout(sandboxId: string, timeoutMs: number, opts?: SandboxApiOpts): Promise<void> {
    await new this({ ...this.defaults, ...opts, sandboxId, autoResume: false }).setTimeout(timeoutMs)
  }

  /** @throws NotSupportedError */
  static fork(_sandboxId: string, _opts?: unknown): Promise<never> {
    return refuse(NO_FORK)
  }

  /** @throws NotSupportedError */
  static createSnapshot(_sandboxId: string, _opts?: unknown): Promise<never> {
    return refuse(NO_SNAPSHOT)
  }

  /** @throws NotSupportedError */
  static listSnapshots(_opts?: unknown): never {
    throw new NotSupportedError(NO_SNAPSHOT)
  }

  /** @throws NotSupportedError */
  static deleteSnapshot(_snapshotId: string, _opts?: unknown): Promise<never> {
    return refuse(NO_SNAPSHOT)
  }

  /**
   * Runs Python in the default context, or in the given one. An exception of the code does not reject: it is in the result.
   *
   * @throws TimeoutError; variables that were set before it are kept
   */
  runCode(code: string, opts?: RunCodeOpts & { language?: RunCodeLanguage }): Promise<Execution>
  runCode(code: string, opts?: RunCodeOpts & { context?: Context }): Promise<Execution>
  runCode(
    code: string,
    opts: RunCodeOpts & { language?: RunCodeLanguage; context?: Context } = {},
  ): Promise<Execution> {
    return withSandboxErrors(async () => {
      const { context, language, envs } = opts
      if (context && language)
        throw new InvalidArgumentError('You can provide context or language, but not both at the same time.')
      requirePython(language)
      const machine = this.#find() ?? (await this.#running())
      return machine.use(async (opened) => {
        const record = machine.context(opened, context?.id ?? DEFAULT_CONTEXT)
        return machine.inOrder(record, async () => {
          const session = await machine.session(opened, record.id)
          return withEnvironment(session, record, envs, () => runCode(session, code, opts, record))
        })
      })
    })
  }

  createCodeContext({ cwd = '.', language }: CreateCodeContextOpts = {}): Promise<Context> {
    return this.#use(async (machine, opened) => {
      requirePython(language)
      const context = machine.addContext(opened, cwd)
      try {
        await machine.session(opened, context.id)
      } catch (error) {
        await machine.removeContext(opened, context.id)
        throw error
      }
      return contextOf(context)
    })
  }

  listCodeContexts(): Promise<Context[]> {
    return this.#use(async (_, { record }) => record.contexts.map(contextOf))
  }

  removeCodeContext(context: Context | string): Promise<void> {
    return this.#use(async (machine, opened) => {
      const { id } = machine.context(opened, idOf(context))
      if (id === DEFAULT_CONTEXT) throw new InvalidArgumentError('the default context cannot be removed')
      await machine.removeContext(opened, id)
    })
  }

  /** Gives the context a fresh interpreter. The files in `/home/user` are kept. */
  restartCodeContext(context: Context | string): Promise<void> {
    return this.#use((machine, opened) => machine.restart(opened, machine.context(opened, idOf(context))))
  }

  /** Resumes the sandbox if it is paused. Its timeout starts over, unless the remaining time is longer. */
  connect(opts: SandboxConnectOpts = {}): Promise<this> {
    return withSandboxErrors(async () => {
      const timeoutMs = timeoutOf(opts.timeoutMs)
      const { sandboxId } = this
      if (!isSandboxId(sandboxId)) throw new SandboxNotFoundError(`there is no sandbox ${sandboxId}`)
      // If pausing fails, the sandbox is running again.
      await this.#source.pausing.get(sandboxId)?.catch(() => {})
      const machine = this.#find()
      if (machine === undefined)
        await new Machine(sandboxId, this.#source, this.#init.limits ?? {}).start(timeoutMs)
      else if (Date.now() + timeoutMs > machine.endAt.getTime()) machine.setTimeout(timeoutMs)
      return this
    })
  }

  /** Stores the sandbox, with its variables and files, once its running calls have ended. Resolves to false if it was paused already. */
  pause({ keepMemory }: PauseOpts = {}): Promise<boolean> {
    return withSandboxErrors(async () => {
      requireMemory(keepMemory)
      const machine = this.#find()
      if (machine) return machine.pause()
      await this.getInfo()
      return false
    })
  }

  betaPause(opts?: PauseOpts): Promise<boolean> {
    return this.pause(opts)
  }

  /** Removes the sandbox and everything that belongs to it. Resolves to false if it does not exist. */
  kill(_opts?: SandboxApiOpts): Promise<boolean> {
    return withSandboxErrors(async () => {
      const machine = this.#find()
      if (machine) return machine.kill()
      if (!isSandboxId(this.sandboxId)) return false
      return this.#source.use((manager) => deleteSandbox(manager, this.sandboxId))
    })
  }

  /** Sets the sandbox's timeout, counted from now, in ms. */
  setTimeout(timeoutMs: number, _opts?: SandboxApiOpts): Promise<void> {
    return withSandboxErrors(async () => (await this.#running()).setTimeout(timeoutOf(timeoutMs)))
  }

  /** Resolves to false if the sandbox is paused, was killed, or is open only in another process. */
  async isRunning(_opts?: SandboxApiOpts): Promise<boolean> {
    return this.#find() !== undefined
  }

  getInfo(_opts?: SandboxApiOpts): Promise<SandboxInfo> {
    return withSandboxErrors(() =>
      this.#source.use((manager) => findSandbox(manager, this.#source, this.sandboxId)),
    )
  }

  /** @throws NotSupportedError */
  getHost(_port: number): string {
    throw new NotSupportedError('getHost: sessions have no network, so nothing can listen on a port')
  }

  /** @throws NotSupportedError */
  getMcpUrl(): string {
    throw new NotSupportedError('getMcpUrl: sandboxes run no MCP servers; brumate/mcp serves sessions')
  }

  /** @throws NotSupportedError */
  get git(): never {
    throw new NotSupportedError('git: a Python session has neither git nor a network; see brumate/just-bash')
  }

  /** @throws NotSupportedError */
  getMetrics(_opts?: unknown): Promise<never> {
    return refuse('getMetrics: sandboxes share the CPU of this process; see manager.stats()')
  }

  /** @throws NotSupportedError */
  fork(_opts?: unknown): Promise<never> {
    return refuse(NO_FORK)
  }

  /** @throws NotSupportedError */
  createSnapshot(_opts?: unknown): Promise<never> {
    return refuse(NO_SNAPSHOT)
  }

  /** @throws NotSupportedError */
  listSnapshots(_opts?: unknown): never {
    throw new NotSupportedError(NO_SNAPSHOT)
  }

  /** @throws NotSupportedError */
  uploadUrl(_path?: string, _opts?: unknown): Promise<never> {
    return refuse('uploadUrl: no server takes files; use files.write, or serve sessions with brumate/server')
  }

  /** @throws NotSupportedError */
  downloadUrl(_path: string, _opts?: unknown): Promise<never> {
    return refuse('downloadUrl: no server has files; use files.read, or serve sessions with brumate/server')
  }

  /** @throws NotSupportedError */
  updateNetwork(_network: unknown, _opts?: unknown): Promise<never> {
    return refuse('updateNetwork: sessions have no network')
  }

  #use<T>(task: (machine: Machine, opened: Opened) => Promise<T>): Promise<T> {
    return withSandboxErrors(async () => {
      const machine = this.#find() ?? (await this.#running())
      return machine.use((opened) => task(machine, opened))
    })
  }

  #find(): Machine | undefined {
    const machine = this.#source.machines.get(this.sandboxId)
    return machine instanceof Machine ? machine : undefined
  }

  async #running(): Promise<Machine> {
    if (this.#init.autoResume && !this.#find()) await this.connect()
    const machine = this.#find()
    if (machine) return machine
    throw new SandboxNotFoundError(
      `the sandbox ${this.sandboxId} is not running: it was killed, has timed out, or is paused; connect() resumes a paused one`,
    )
  }
}

/** @throws NotSupportedError */
function requirePython(language: string | undefined): void {
  if (language === undefined || language === 'python') return
  throw new NotSupportedError(`language ${JSON.stringify(language)}: sandboxes run Python only`)
}

function contextOf({ id, cwd }: ContextRecord): Context {
  return { id, language: 'python', cwd }
}

function idOf(context: Context | string): string {
  return typeof context === 'string' ? context : context.id
}
