// The options of commands that run Python, and the session that they configure. Owns their names, and the limits of such sessions: those
// of a program on its user's own machine, not of a server.
import { Image } from '../image.js'
import { SessionManager } from '../manager.js'
import type { Limits } from '../options/limits.js'
import type { SessionOptions } from '../options.js'
import type { Session } from '../session.js'
import { count } from '../shared/count.js'
import type { PendingCall } from '../shared/snapshot/manifest.js'
import type { Snapshot } from '../shared/snapshot/snapshot.js'
import { VfsStorage } from '../vfs/storage.js'
import { type CommandInput, integerOf, type Option, textOf, textsOf, UsageError } from './command.js'
import { type Mount, parseMount } from './mount.js'
import { PACKAGE_OPTIONS, packageOptions } from './package-options.js'
import { readSnapshotFile } from './snapshot-file.js'
import { printable } from './text.js'
import { parseDurationMs } from './units.js'

const MiB = 1024 * 1024
const DEFAULT_MEMORY_MIB = 1024

export const PYTHON_OPTIONS: Readonly<Record<string, Option>> = {
  timeout: { type: 'string', value: 'TIME', help: 'seconds, or such as 500ms or 2m; default: no limit' },
  memory: {
    ...{ type: 'string', value: 'MIB' },
    help: `most memory of the interpreter in MiB, 64 to 4096; default: ${DEFAULT_MEMORY_MIB}`,
  },
  mount: {
    ...{ type: 'string', value: 'DIR[:ro][:/PATH]' },
    help: 'let Python use this directory, at /data or PATH; with ro it changes nothing there',
  },
  'snapshot-in': { type: 'string', value: 'FILE', help: 'start from the state that this snapshot holds' },
  image: { type: 'string', value: 'FILE', help: 'an image file, instead of -p and -r' },
  lock: { type: 'string', value: 'FILE', help: 'packages as this lock has them' },
  ...PACKAGE_OPTIONS,
  figures: {
    ...{ type: 'string', value: 'DIR' },
    help: 'where displayed images are saved; default: the current directory',
  },
}

/** Output is streamed, and a person can stop the program, so these limits only keep it from using up the whole machine. */
const LIMITS: Partial<Limits> = {
  executionTimeoutMs: null,
  callbackTimeoutMs: null,
  callbackInvocations: null,
  outputBytes: 256 * MiB,
  fileBytes: 1024 * MiB,
  snapshotBytes: 1024 * MiB,
}

/** A manager with one image, and the options that its sessions share. */
export class Python implements AsyncDisposable {
  readonly manager: SessionManager
  readonly mount: Mount | undefined
  readonly snapshot: Snapshot | undefined
  readonly #options: SessionOptions

  private constructor(
    manager: SessionManager,
    mount: Mount | undefined,
    snapshot: Snapshot | undefined,
    options: SessionOptions,
  ) {
    this.manager = manager
    this.mount = mount
    this.snapshot = snapshot
    this.#options = options
  }

  /** @throws UsageError, and what the manager throws */
  static async open(input: CommandInput, slots: number): Promise<Python> {
    const { values } = input
    const timeout = textOf(values, 'timeout')
    const executionTimeoutMs = timeout === undefined ? null : parseDurationMs('timeout', timeout)
    const memoryMiB = integerOf(values, 'memory', 64, 4096, 'an integer of MiB') ?? DEFAULT_MEMORY_MIB
    const limits = { ...LIMITS, executionTimeoutMs, memoryBytes: memoryMiB * MiB }
    const mountText = textOf(values, 'mount')
    const mount = mountText === undefined ? undefined : await parseMount(mountText)
    const snapshotPath = textOf(values, 'snapshot-in')
    const snapshot = snapshotPath === undefined ? undefined : await readSnapshotFile(snapshotPath)
    if (snapshot !== undefined) requireRunnable(snapshot.manifest.pending)
    const manager = await openManager(input, slots, limits)
    const vfs = mount && VfsStorage.directory(mount.directory, { readOnly: mount.isReadOnly })
    return new Python(manager, mount, snapshot, vfs && mount ? { vfs, vfsMountPath: mount.path } : {})
  }

  /** A session that starts from `--snapshot-in`, unless `from` is given. */
  createSession(options: SessionOptions = {}): Promise<Session> {
    const from = this.snapshot === undefined ? {} : { from: this.snapshot }
    return this.manager.createSession({ ...this.#options, ...from, ...options })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.manager.close()
    await this.#options.vfs?.close()
  }
}

/** @throws UsageError for the snapshot of an execution that only a program can resume */
export function requireRunnable(pending: readonly PendingCall[]): void {
  if (pending.length === 0) return
  const names = pending.map(({ name }) => printable(name)).join(', ')
  throw new UsageError(
    `the snapshot is of an execution that waits for ${count(pending.length, 'host call')} (${names}); a program resumes it, with session.resume()`,
  )
}

async function openManager(
  input: CommandInput,
  slots: number,
  limits: Partial<Limits>,
): Promise<SessionManager> {
  const { values, progress } = input
  const file = textOf(values, 'image')
  const lock = textOf(values, 'lock')
  const hasPackages = ['package', 'requirements'].some((name) => textsOf(values, name).length > 0)
  if (file !== undefined && (hasPackages || lock !== undefined))
    throw new UsageError('--image has its packages, so it takes no --package, --requirements or --lock')
  if (file !== undefined) return SessionManager.create({ slots, limits, image: file })
  if (hasPackages || lock !== undefined) {
    const image = await Image.build({ ...packageOptions(input), ...(lock === undefined ? {} : { lock }) })
    progress.clear()
    return SessionManager.create({ slots, limits, image })
  }
  // Without packages, the library's own message says what takes time, and src/packages is not loaded at all.
  const cacheDir = textOf(values, 'cache-dir')
  return SessionManager.create({ slots, limits, ...(cacheDir === undefined ? {} : { cacheDir }) })
}
