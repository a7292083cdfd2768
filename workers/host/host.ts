// The host of one interpreter: implements everything that its module imports, which is all that the guest can reach. Owns the parts
// and their life cycle (bind, attach, execute, capture and restore, reset). Each family of imports has its own file; imports.ts lists all.
import type { FileIndex } from '../../src/shared/image/file-index.js'
import type { NativeCode } from '../../src/shared/image/image.js'
import type { ExceededLimit, FileChanges } from '../../src/shared/messages/slot.js'
import type { MountWire } from '../../src/shared/messages/storage-door.js'
import { timeZoneNamed } from '../../src/shared/time-zone.js'
import type { ImageReader } from '../image-bytes.js'
import { type MemoryBudget, UNBOUNDED } from '../memory/budget.js'
import { type PackingRoom, UNLIMITED_ROOM } from '../memory/packing-room.js'
import type { BoundExports } from './bound-exports.js'
import { Clock } from './clock.js'
import type { HostContext } from './context.js'
import { type DisplayReceiver, DisplaySink } from './displays.js'
import { FsError } from './errno.js'
import { FileSystem } from './file-system.js'
import type { ChunkSource } from './fs/chunk-source.js'
import type { RandomSource } from './fs/file-io.js'
import type { NodeId, NodeStore } from './fs/node-store.js'
import { Ending, type InterpreterEnd } from './guard.js'
import { GuestMemory } from './guest-memory.js'
import type { HostCallDoor } from './host-calls.js'
import { guardedImports, type ImportDoors, linkImports, openDoors } from './imports.js'
import type { InterruptCell } from './interrupt.js'
import { Libraries } from './libraries.js'
import { MemoryGrowth } from './memory.js'
import { MountedNodes } from './mounts/mounted-nodes.js'
import { type OutputReceiver, OutputSink } from './output.js'
import { type Pulse, Signals } from './signals.js'
import { hasStackForIntl, type StackProbe } from './stack-reserve.js'
import { captureHost, type HostCapture } from './state/capture.js'
import { HostStateError } from './state/error.js'
import { type PreparedHost, restoreHost } from './state/restore.js'
import { TimeZone } from './time-zone.js'

export { InterpreterEnd } from './guard.js'
export type { HostCapture } from './state/capture.js'
export { HostStateError } from './state/error.js'
export type { PreparedHost } from './state/restore.js'
export type { HostState } from './state/state.js'

export interface HostOptions {
  /** Files of the image: copied on write, never changed. */
  readonly files: FileIndex
  readonly bytes: ImageReader
  /** Native code of the image's packages. Default: there is none. */
  readonly native?: NativeCode | null
  /** Working directory at the start and after a reset. */
  readonly cwd?: string
  readonly interrupt: InterruptCell
  readonly onOutput: OutputReceiver
  /** Default: displays are dropped. */
  readonly onDisplay?: DisplayReceiver
  /** Default: does nothing. */
  readonly pulse?: Pulse
  /** The budget for memory growth, files and output. Default: unbounded. */
  readonly memory?: MemoryBudget
  /** Memory of private files. Default: the thread's own. */
  readonly chunks?: ChunkSource
  /** Where entropy comes from. Default: the operating system. */
  readonly random?: RandomSource
  /** Default: host calls that block are refused. */
  readonly door?: HostCallDoor
}

/** A limit of null means no limit. */
export interface HostLimits {
  readonly memoryBytes: number | null
  /** Per stream and execution. */
  readonly outputBytes: number | null
  /** For all displays of an execution together. */
  readonly resultBytes?: number | null
  readonly fileBytes: number | null
}

export interface HostUsage {
  /** Bytes of private files, including holes. */
  readonly fileBytes: number
  /** Written by this execution, per stream. */
  readonly outputBytes: { readonly 1: number; readonly 2: number }
  readonly memoryBytes: number
  readonly peakMemoryBytes: number
}

/** The working directory in which Pyodide starts. */
const DEFAULT_CWD = '/home/pyodide'
const DEFAULT_TIME_ZONE = 'UTC'

export class Host {
  readonly #options: HostOptions
  readonly #memory: MemoryBudget
  readonly #output: OutputSink
  readonly #context: Mutable<HostContext>
  /** The zone that a reset restores, and the current one. */
  #configuredZone = DEFAULT_TIME_ZONE
  #timeZone = DEFAULT_TIME_ZONE
  /** Doors of the instance that imports from this host. */
  #doors: ImportDoors = new Map()

  constructor(options: HostOptions) {
    const signals = new Signals(options.interrupt, options.pulse ?? NO_PULSE)
    const memory = new GuestMemory()
    this.#options = options
    this.#memory = options.memory ?? UNBOUNDED
    this.#output = new OutputSink(options.onOutput, () => signals.raiseInterrupt(), this.#memory)
    this.#context = {
      memory,
      ending: new Ending(),
      clock: new Clock(),
      signals,
      growth: new MemoryGrowth(memory, this.#memory),
      fileSystem: this.#freshFileSystem(),
      zone: new TimeZone(),
      setTimeZone: (name) => this.#setTimeZone(name),
      libraries: options.native ? new Libraries(options.native.libraries) : undefined,
      callable: options.native?.callable,
      door: options.door,
      displays: new DisplaySink(options.onDisplay ?? (() => {}), this.#memory),
      exports: undefined,
    }
  }

  /** The import object for `module`. */
  imports(module: WebAssembly.Module): WebAssembly.Imports {
    this.#doors = openDoors(guardedImports(this.#context))
    return linkImports(module, this.#doors)
  }

  /** Makes the instance that imports from `previous` import from this host instead (S1). */
  replace(previous: Host): void {
    const guarded = guardedImports(this.#context)
    this.#doors = previous.#doors
    for (const [name, door] of this.#doors) {
      const behind = guarded.get(name)
      if (behind === undefined) throw new Error(`unreachable: no import ${name}`)
      door.leadTo(behind)
    }
    previous.close()
  }

  /** Frees what the session held. The host must not be used again. */
  close(): void {
    this.#context.fileSystem.close()
  }

  /**
   * Binds the host to an instance. Call it after instantiation, before the first call.
   *
   * @param stackProbe - made with the instance's memory; without it, imports run however little stack is left
   */
  bind(exports: BoundExports, stackProbe?: StackProbe): void {
    this.#context.exports = exports
    if (stackProbe !== undefined) this.#context.ending.requireStack(stackProbe)
    this.#context.memory.bind(exports.memory)
    this.#context.growth.bind(exports.memory)
  }

  /**
   * Sets the limits, time zone and storage of the session that attaches.
   *
   * @param mount - a storage that it shares with others; null if there is none, or if `install` brings it
   * @throws RangeError if there is no such time zone
   */
  configure(limits: HostLimits, timeZone: string, mount: MountWire | null = null): void {
    if (mount) this.#context.fileSystem.mount(this.#mounted(mount))
    this.#context.zone = new TimeZone(timeZone)
    this.#configuredZone = timeZone
    this.#timeZone = timeZone
    this.#context.growth.maxBytes = limits.memoryBytes
    this.#context.fileSystem.quota.maxBytes = limits.fileBytes
    this.#output.maxBytes = limits.outputBytes
    this.#context.displays.maxBytes = limits.resultBytes ?? null
  }

  /** Called when the session's code chooses another zone. */
  #setTimeZone(name: string): boolean {
    if (name === this.#timeZone) return true
    if (!hasStackForIntl() || timeZoneNamed(name) === undefined) return false
    this.#context.zone = new TimeZone(name)
    this.#timeZone = name
    return true
  }

  #mounted(mount: MountWire): MountedNodes {
    return new MountedNodes(mount, () => this.#options.interrupt.pending)
  }

  /** Starts counting output from zero, and from now on accepts only interrupts for `id`. */
  beginExecution(id: number): void {
    this.#output.begin()
    this.#context.fileSystem.nodes.changeLog?.begin()
    this.#context.displays.begin()
    this.#context.signals.beginExecution(id)
  }

  /** The output was passed on, so it no longer counts against the memory budget here. */
  outputTaken(): void {
    this.#output.taken()
    this.#context.displays.taken()
  }

  /** Records that execution `id` was told of its interrupt while it was not running. */
  interruptDelivered(id: number): void {
    this.#options.interrupt.markDelivered(id)
  }

  get usage(): HostUsage {
    const { growth, fileSystem } = this.#context
    return {
      fileBytes: fileSystem.quota.usedBytes,
      outputBytes: this.#output.written,
      memoryBytes: growth.bytes,
      peakMemoryBytes: growth.peakBytes,
    }
  }

  /** What this execution has done to private files; undefined if nothing. */
  get fileChanges(): FileChanges | undefined {
    return this.#context.fileSystem.nodes.changeLog?.changes
  }

  /** The session's private files, for requests of the main thread. */
  get privateFiles(): NodeStore {
    return this.#context.fileSystem.nodes
  }

  /** Private directories that the mounted storage hides. */
  get coveredDirectories(): readonly NodeId[] {
    return this.#context.fileSystem.files.tree.covered
  }

  /** The limit that cut off output in this execution; null if none did. */
  get exceeded(): ExceededLimit | null {
    return this.#output.exceeded
  }

  get ended(): InterpreterEnd | null {
    return this.#context.ending.ended
  }

  /**
   * Captures the state that a session has outside WebAssembly memory (I1), as data that shares nothing with the host. Changes nothing.
   *
   * @throws NoRoomError
   */
  capture(room: PackingRoom = UNLIMITED_ROOM): HostCapture {
    const { fileSystem, clock } = this.#context
    return captureHost(fileSystem, clock.monotonicMs(), this.#timeZone, room)
  }

  /**
   * Validates a captured state, which is untrusted, and builds from it what `install` swaps in. The host stays as it is (N2).
   *
   * @param isUnused - nothing has used the host's files since it was made or reset. The state is then built from them, which saves creating
   * new ones, and the result must be passed to `install` or `discard`.
   * @throws HostStateError
   */
  prepare(
    state: unknown,
    contents: Uint8Array,
    limits: HostLimits,
    mount: MountWire | null = null,
    isUnused = false,
  ): PreparedHost {
    const fileSystem = isUnused ? this.#context.fileSystem : this.#freshFileSystem()
    fileSystem.quota.maxBytes = limits.fileBytes
    try {
      const mounted = mount === null ? undefined : this.#mounted(mount)
      return restoreHost(fileSystem, state, contents, mounted)
    } catch (error) {
      this.discard({ fileSystem })
      // Quotas were checked before, so only memory can have run out.
      if (error instanceof FsError)
        throw new HostStateError('too-large', 'there is no memory left for its files')
      throw error
    }
  }

  /** Frees a prepared state that will not be installed. The host is as it was before `prepare`. */
  discard({ fileSystem }: Pick<PreparedHost, 'fileSystem'>): void {
    fileSystem.close()
    if (fileSystem === this.#context.fileSystem) this.#context.fileSystem = this.#freshFileSystem()
  }

  /** Grows the interpreter's memory to the size of a snapshot's, whatever the session's limit. Returns false if there is no room. */
  reserve(memoryBytes: number): boolean {
    return this.#context.growth.reserve(memoryBytes)
  }

  /**
   * Puts the host into the prepared state, whatever its state was before; limits stay. Call it once per prepared state, on the host that
   * prepared it, together with restoring the memory that belongs to it. Cannot fail.
   */
  install({ fileSystem, clockMs, timeZone, zone }: PreparedHost): void {
    if (fileSystem !== this.#context.fileSystem) this.#context.fileSystem.close()
    this.#context.fileSystem = fileSystem
    this.#context.zone = zone
    this.#timeZone = timeZone
    this.#restart(clockMs)
  }

  /** Resets files, descriptors, working directory, umask and clock to the image's. Limits and the configured time zone stay. */
  reset(): void {
    const { maxBytes } = this.#context.fileSystem.quota
    this.#context.fileSystem.close()
    this.#context.fileSystem = this.#freshFileSystem()
    this.#context.fileSystem.quota.maxBytes = maxBytes
    if (this.#timeZone !== this.#configuredZone) {
      this.#context.zone = new TimeZone(this.#configuredZone)
      this.#timeZone = this.#configuredZone
    }
    this.#restart(0)
  }

  #restart(clockMs: number): void {
    this.#context.clock.restart(clockMs)
    this.#context.signals.drop()
    this.#options.door?.reset()
  }

  #freshFileSystem(): FileSystem {
    const { files, bytes, cwd = DEFAULT_CWD, chunks, random } = this.#options
    const fileSystem = new FileSystem({ files, bytes, cwd, output: this.#output, chunks, random })
    fileSystem.quota.countIn(this.#memory)
    return fileSystem
  }
}

const NO_PULSE: Pulse = { onTick: () => {}, onSleep: () => {}, onFlush: () => {} }

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] }
