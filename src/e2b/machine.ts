// A sandbox in this process: its sessions, one for each context, and the home directory that they share. Owns loading them from the
// store, saving them, and the sandbox's timeout.
import { randomBytes } from 'node:crypto'
import { posix } from 'node:path'
import type { SessionManager } from '../manager.js'
import type { Limits } from '../options/limits.js'
import { NameLocks } from '../presentation/name-locks.js'
import type { Session } from '../session.js'
import { InvalidOptionError, StorageError } from '../shared/errors.js'
import { NotFoundError, SandboxNotFoundError } from './errors.js'
import { HOME, Home } from './home.js'
import type { ManagerSource, Suspendable } from './manager-source.js'
import {
  type ContextRecord,
  DEFAULT_CONTEXT,
  readArchive,
  readRecord,
  removeRecord,
  type SandboxRecord,
  writeArchive,
  writeRecord,
} from './record.js'

export interface NewMachine {
  readonly metadata: Readonly<Record<string, string>>
  readonly envs: Readonly<Record<string, string>>
  readonly onTimeout: 'kill' | 'pause'
}

/** The parts of a sandbox that are open while it runs. */
export interface Opened {
  readonly manager: SessionManager
  readonly home: Home
  readonly record: SandboxRecord
  readonly sessions: Map<string, Promise<Session>>
  /** The record as it was last written. */
  saved: string | undefined
}

/** Room for the archive of the home directory and the files in /tmp. */
const FILE_BYTES = 192 * 1024 * 1024
const DEFAULT_MEMORY_BYTES = 256 * 1024 * 1024
const CONTEXT_ID_BYTES = 6
/** How long a sandbox that could not be paused runs at least before the next attempt. */
const MIN_TIMEOUT_MS = 60_000

export class Machine implements Suspendable {
  readonly id: string
  endAt = new Date()
  readonly #source: ManagerSource
  readonly #limits: Partial<Limits>
  #opened: Promise<Opened> | undefined
  #create: NewMachine | undefined
  #onTimeout: 'kill' | 'pause' = 'kill'
  #saving: Promise<void> = Promise.resolve()
  readonly #calls = new Set<Promise<unknown>>()
  readonly #executions = new NameLocks()
  #timer: NodeJS.Timeout | undefined

  /** @param create how to create a new sandbox; undefined for one that is in the store */
  constructor(id: string, source: ManagerSource, limits: Partial<Limits>, create?: NewMachine) {
    this.id = id
    this.#source = source
    this.#limits = limits
    this.#create = create
  }

  get memoryBytes(): number {
    return this.#limits.memoryBytes ?? DEFAULT_MEMORY_BYTES
  }

  /** Runs a task with the open sandbox, and saves its changes to the sandbox. */
  use<T>(task: (opened: Opened) => Promise<T>): Promise<T> {
    const call = this.#source.use(async (manager) => {
      const opened = await this.#open(manager)
      const [outcome] = await Promise.allSettled([task(opened)])
      await this.#save(opened).catch((error) => {
        // A sandbox that was killed meanwhile cannot be saved, and need not be.
        if (this.#opened !== undefined) throw error
      })
      if (outcome.status === 'rejected') throw outcome.reason
      return outcome.value
    })
    this.#calls.add(call)
    const forget = () => this.#calls.delete(call)
    call.then(forget, forget)
    return call
  }

  /** Opens the sandbox and starts its timeout. Until it is paused or killed, other handles find it in this process. */
  async start(timeoutMs: number): Promise<void> {
    this.#source.machines.set(this.id, this)
    try {
      await this.use(async ({ record }) => {
        this.#onTimeout = record.onTimeout
        this.setTimeout(timeoutMs)
      })
    } catch (error) {
      this.#source.machines.delete(this.id)
      throw error
    }
  }

  /** @throws NotFoundError */
  context({ record }: Opened, id: string): ContextRecord {
    const context = record.contexts.find((one) => one.id === id)
    if (context === undefined) throw new NotFoundError(`the sandbox has no context ${id}`)
    return context
  }

  /** The session of a context, opened when it is first used. */
  session(opened: Opened, id: string): Promise<Session> {
    const { manager, home, record, sessions } = opened
    const context = this.context(opened, id)
    const session = sessions.get(id) ?? this.#openContext(manager, home, record, context)
    sessions.set(id, session)
    session.catch(() => sessions.delete(id))
    return session
  }

  /** Runs the executions of a context in the order of the calls, each with the steps around it. */
  inOrder<T>({ id }: ContextRecord, task: () => Promise<T>): Promise<T> {
    return this.#executions.run(id, undefined, task)
  }

  addContext({ record }: Opened, cwd: string): ContextRecord {
    const id = randomBytes(CONTEXT_ID_BYTES).toString('hex')
    const context = { id, cwd: posix.resolve(HOME, cwd), hidden: 0 }
    record.contexts.push(context)
    return context
  }

  /** Resets a context's variables, and for the first context also the files outside of the home directory. */
  async restart(opened: Opened, context: ContextRecord): Promise<void> {
    const session = await this.session(opened, context.id)
    await session.reset()
    context.hidden = 0
    await enter(session, context)
    if (context.id === DEFAULT_CONTEXT) opened.home.markChanged()
  }

  async removeContext({ manager, record, sessions }: Opened, id: string): Promise<void> {
    record.contexts.splice(
      record.contexts.findIndex((one) => one.id === id),
      1,
    )
    sessions.delete(id)
    await manager.delete(this.#sessionId(id))
  }

  /** Ends the sandbox after `timeoutMs`, counted from now. */
  setTimeout(timeoutMs: number): void {
    clearTimeout(this.#timer)
    this.endAt = new Date(Date.now() + timeoutMs)
    const end = () => {
      const ended = this.#onTimeout === 'pause' ? this.pause() : this.kill()
      ended.catch((error) => this.#warn('it could not be ended', error))
    }
    // A sandbox must not keep the process alive.
    this.#timer = setTimeout(end, timeoutMs).unref()
  }

  /** Stores and closes the sandbox. If that fails, it keeps running. */
  async pause(): Promise<boolean> {
    const { machines, pausing } = this.#source
    if (!machines.delete(this.id)) return false
    clearTimeout(this.#timer)
    const paused = this.#source.use(() => this.#suspend())
    pausing.set(this.id, paused)
    try {
      await paused
    } catch (error) {
      const opened = await this.#opened?.catch(() => undefined)
      const session = await opened?.sessions.get(DEFAULT_CONTEXT)?.catch(() => undefined)
      if (session !== undefined && session.state !== 'closed') {
        machines.set(this.id, this)
        this.setTimeout(Math.max(MIN_TIMEOUT_MS, this.endAt.getTime() - Date.now()))
      }
      throw error
    } finally {
      pausing.delete(this.id)
    }
    return true
  }

  /** Resolves to whether the sandbox existed. */
  async kill(): Promise<boolean> {
    clearTimeout(this.#timer)
    this.#source.machines.delete(this.id)
    const opened = await this.#opened?.catch(() => undefined)
    this.#opened = undefined
    const isFound = await this.#source.use((manager) => deleteSandbox(manager, this.id))
    await opened?.home.close()
    return isFound
  }

  /** Stores and closes the sandbox once the running calls have settled. The next `use` opens it again. */
  async suspend(): Promise<void> {
    try {
      await this.#suspend()
    } catch (error) {
      this.#warn('its last changes could not be stored', error)
      const opened = await this.#opened?.catch(() => undefined)
      if (opened) await this.#close(opened)
    }
  }

  async #suspend(): Promise<void> {
    await Promise.allSettled(this.#calls)
    const opening = this.#opened
    if (opening === undefined) return
    const opened = await opening
    await this.#save(opened)
    await this.#close(opened)
  }

  async #close(opened: Opened): Promise<void> {
    this.#opened = undefined
    for (const session of opened.sessions.values()) await (await session).close()
    await opened.home.close()
  }

  #open(manager: SessionManager): Promise<Opened> {
    if (this.#opened) return this.#opened
    const opened = this.#load(manager)
    this.#opened = opened
    opened.catch(() => {
      this.#opened = undefined
    })
    return opened
  }

  async #load(manager: SessionManager): Promise<Opened> {
    const home = new Home()
    try {
      const create = this.#create
      const context: ContextRecord = { id: DEFAULT_CONTEXT, cwd: HOME, hidden: 0 }
      const record = create && { contexts: [context], ...create }
      const [first, found] = record
        ? [await this.#openContext(manager, home, record, context, create.metadata), record]
        : await this.#restore(manager, home)
      this.#create = undefined
      const sessions = new Map([[DEFAULT_CONTEXT, Promise.resolve(first)]])
      return { manager, home, record: found, sessions, saved: undefined }
    } catch (error) {
      await home.close()
      const isGone = error instanceof InvalidOptionError && error.option === 'id'
      if (isGone) throw new SandboxNotFoundError(`there is no sandbox ${this.id}`, { cause: error })
      throw error
    }
  }

  async #restore(manager: SessionManager, home: Home): Promise<[Session, SandboxRecord]> {
    const first = await manager.openSession(this.id, this.#options(home))
    const record = await readRecord(first.files)
    const archive = await readArchive(first.files)
    if (archive === undefined) return [first, record]
    // Restoring a session looks up its working directory and open files, which may be in the home directory, so fill that first.
    await first.close()
    await home.load(archive).catch((error) => this.#reportDamage(error))
    return [await manager.openSession(this.id, this.#options(home)), record]
  }

  /** Python code can write to the archive. That only harms its own sandbox, which must still open. */
  #reportDamage(error: unknown): void {
    if (!(error instanceof StorageError)) throw error
    this.#warn('the archive of the home directory is damaged, so files are missing', error)
  }

  #warn(fault: string, error: unknown): void {
    const message = `the sandbox ${this.id}: ${fault}: ${(error as Error).message}`
    process.emitWarning(message, { code: 'BRUMATE_SANDBOX' })
  }

  async #openContext(
    manager: SessionManager,
    home: Home,
    { envs }: Pick<SandboxRecord, 'envs'>,
    context: ContextRecord,
    labels: Readonly<Record<string, string>> = {},
  ): Promise<Session> {
    const env = { HOME, ...envs }
    const session = await manager.getOrCreate(this.#sessionId(context.id), {
      ...this.#options(home),
      ...{ env, labels },
    })
    if (session.executionCount === 0) await enter(session, context)
    return session
  }

  #options(home: Home) {
    const limits = { fileBytes: FILE_BYTES, ...this.#limits }
    return { tenant: this.id, vfs: home.storage, vfsMountPath: HOME, limits }
  }

  #sessionId(context: string): string {
    return context === DEFAULT_CONTEXT ? this.id : `${this.id}-${context}`
  }

  /** Saves one at a time, so that each includes the changes of the earlier ones. */
  #save(opened: Opened): Promise<void> {
    const save = async () => {
      const archive = await opened.home.takeArchive()
      const text = JSON.stringify(opened.record)
      if (archive === undefined && text === opened.saved) return
      const { files } = await this.session(opened, DEFAULT_CONTEXT)
      const write = async (home: Uint8Array | undefined) => {
        if (home) await writeArchive(files, home)
        await writeRecord(files, text)
      }
      try {
        await write(archive).catch(async (error) => {
          if (!(error instanceof StorageError) || error.reason === 'ENOSPC') throw error
          await removeRecord(files)
          opened.home.markChanged()
          await write(await opened.home.takeArchive())
        })
      } catch (error) {
        opened.home.markChanged()
        throw error
      }
      opened.saved = text
    }
    const saved = this.#saving.then(save)
    this.#saving = saved.catch(() => {})
    return saved
  }
}

/** Removes all sessions of a sandbox. */
export async function deleteSandbox(manager: SessionManager, id: string): Promise<boolean> {
  let isFound = false
  const ids: string[] = []
  for await (const stored of manager.list({ prefix: id })) ids.push(stored.id)
  for (const one of ids) isFound = (await manager.delete(one)) || isFound
  return isFound
}

/** Creates the context's directory, and makes it the working directory. */
async function enter(session: Session, context: ContextRecord): Promise<void> {
  const path = JSON.stringify(context.cwd)
  await session.execute(
    `(lambda os: (os.makedirs(${path}, exist_ok=True), os.chdir(${path})))(__import__('os'));`,
  )
  context.hidden++
}
