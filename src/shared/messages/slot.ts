// The types of all messages between the caller's thread and a slot. Owns names and no behaviour: slots/guard.ts enforces the
// form of messages from a slot (R3), because types mean nothing to a hostile thread.
import type { MessagePort } from 'node:worker_threads'
import type { HostCallWire } from './host-calls.js'
import type { MemoryWire } from './memory.js'
import type { FileStatus } from './storage.js'
import type { MountWire } from './storage-door.js'

/** The Piscina task that starts a slot's service, for its first lease. Ends only with the worker. */
export interface ServeTask extends LeaseWire {
  /** Carries the `LeaseWire` of each further lease. The slot then ends the previous lease, renews its interpreter, and sends `ready`. */
  readonly next: MessagePort
}

/** Ports and shared memory of one lease. No two leases share any of it (S1). */
export interface LeaseWire {
  readonly port: MessagePort
  /** For host calls of code that blocks its thread. */
  readonly calls: HostCallWire
  /**
   * Three Int32: the id of the execution to interrupt; the shield that protects the worker from being ended
   * (src/shared/threads/shield.ts); the id of the capture whose user code runs (src/shared/threads/user-code.ts).
   */
  readonly interrupt: SharedArrayBuffer
  /** Output that is not sent yet (output.ts). */
  readonly output: SharedArrayBuffer
  /** For requests for memory. */
  readonly memory: MemoryWire
}

export interface SlotLimits {
  readonly memoryBytes: number | null
  readonly outputBytes: number | null
  readonly resultBytes: number | null
  readonly fileBytes: number | null
}

export interface AttachRequest {
  readonly limits: SlotLimits
  /** IANA name. */
  readonly timeZone: string
  /** Marshal bytes of the kernel's ATTACH dictionary. */
  readonly session: Uint8Array
  /** The storage that the session shares with others. */
  readonly mount: MountWire | null
  /** Bytes of the slot's calls that the main thread has released, and bytes that earlier calls hold (workers/host/credit.ts). */
  readonly releasedBytes: number
  readonly heldBytes: number
}

/**
 * How much effort to spend on making a body small. `least`: a caller waits for it, so only a large body is compressed.
 */
export type Effort = 'small' | 'quick' | 'least'

export interface SnapshotRequest {
  /** Most bytes of global values that are sent beside the memory. With 0, globals are not described either. */
  readonly valuesBytes: number
  /** Most bytes of the body. */
  readonly maxBytes: number | null
  readonly effort: Effort
  /** Identifies this capture, if the next one may build on it. Unique among the captures of a slot. */
  readonly number: number | null
  /** Number of an earlier capture of this slot, or of the snapshot it restored. Blocks that have not changed since need not be sent. */
  readonly base: number | null
}

/** The parts of a snapshot that `restore` needs. src/shared/snapshot/document.ts has all parts. */
export interface RestoreRequest extends AttachRequest {
  /** Untrusted. No other thread has this memory. */
  readonly body: Uint8Array
  readonly formatVersion: number
  readonly bodyHash: Uint8Array
  readonly rawBytes: number
  readonly memoryBytes: number
  /** Like the number of a capture: identifies the snapshot, if the next capture may build on it. */
  readonly number: number | null
}

export interface ExecuteRequest {
  /** Unique in the slot, starting at 1. `interrupt` refers to it. */
  readonly id: number
  readonly executionCount: number
  readonly code: string
  /** Whether to send a stream's output while it is written. */
  readonly liveStdout: boolean
  readonly liveStderr: boolean
}

/** The most frequent methods. Their requests bypass Comlink. */
export const DIRECT_METHODS = ['execute', 'get', 'set'] as const
export type DirectMethod = (typeof DIRECT_METHODS)[number]

/**
 * A request in Comlink's message format, written and read without Comlink, which would take longer than a small cell: per call, it
 * creates a random id, a listener and several objects on both threads.
 */
export interface DirectRequest {
  readonly id: string
  readonly type: 'APPLY'
  readonly path: readonly [DirectMethod]
  readonly argumentList: readonly { readonly type: 'RAW'; readonly value: unknown }[]
  /** All cores are busy with threads of this process, so the slot must not spin for the next message. */
  readonly isCrowded: boolean
}

export interface ResumeRequest {
  /** Like the id of an execution. */
  readonly id: number
  readonly liveStdout: boolean
  readonly liveStderr: boolean
  /** Answers of host calls, in the form of the kernel's ANSWER. */
  readonly answers: readonly Uint8Array[]
}

/** Messages to a slot that get no answer. They use the same port, to keep the order. */
export type SlotNotice =
  /** Answers of host calls. The execution takes them when it awaits, or else the next one takes them. */
  | { readonly notice: 'answers'; readonly answers: readonly Uint8Array[] }
  /**
   * Stops the execution where it awaits; its call then answers `suspended`. Ignored if the execution has sent more than `batches` batches
   * of host calls, because then there is something to wait for.
   */
  | { readonly notice: 'suspend'; readonly id: number; readonly batches: number }
  /** Arguments of host calls were released. Sent if the slot has asked for it. */
  | { readonly notice: 'credit' }

/** Output of a running execution, in the order in which it was written. */
export interface LiveOutput {
  /** The stream that `text` begins with: 1 stdout, 2 stderr. */
  readonly stream: 1 | 2
  readonly text: string
  /** The lengths of the parts of `text`, if it has output of both streams. Parts alternate between the streams. */
  readonly lengths?: Uint32Array
}

/** A change that an execution made to a private file. */
export interface ChangedFile {
  readonly path: string
  readonly change: 'created' | 'changed' | 'removed'
  readonly sizeBytes: number
}

export interface FileChanges {
  /** Changed files, one entry for each path. */
  readonly files: readonly ChangedFile[]
  /** Number of changed files that are not listed. */
  readonly more: number
}

/** The main thread's requests for private files. Paths are byte strings, as in `StorageCalls`. */
export type FileRequest =
  | {
      readonly name: 'readFile' | 'writeFile' | 'list' | 'stat' | 'remove' | 'rename' | 'mkdir'
      readonly parameters: readonly unknown[]
    }
  /** Reads a part of a file. `node` is 0 for the first part, then the previous answer's, to make sure that it is still the same file. */
  | {
      readonly name: 'readPart'
      readonly path: string
      readonly node: number
      readonly position: number
      readonly length: number
    }
  /** Writes a part of a file. The first part creates the file, or empties it. */
  | {
      readonly name: 'writePart'
      readonly path: string
      readonly node: number
      readonly position: number
      readonly bytes: Uint8Array
    }

/** The result of a request: nothing, bytes, names joined by `/`, a status, or the node of a part. */
export interface FileAnswer {
  readonly bytes: Uint8Array | null
  readonly names: string | null
  readonly status: FileStatus | null
  readonly node: number
}

/** The output and resource use of a call into the kernel, whether it succeeded or failed. */
export interface RunReport {
  /** Output that was not sent with `output` events. */
  readonly stdout: string
  readonly stderr: string
  readonly durationMs: number
  /** The interpreter's memory now, and its peak. */
  readonly memoryBytes: number
  readonly peakMemoryBytes: number
  /** Size of private files, holes included. */
  readonly fileBytes: number
  /** Output of this call, both streams together. */
  readonly outputBytes: number
  /** See the event `calls`. */
  readonly takenBytes: number
  /** Changes of private files, if there are any. */
  readonly changes?: FileChanges
}

/** Limits that can cut off an execution's output. */
export type ExceededLimit = 'outputBytes' | 'maxMemoryBytes'

/** The result of a call into the kernel. */
export type SlotReply =
  | (RunReport & {
      readonly kind: 'outcome'
      /** Marshal bytes of the kernel's outcome tuple; null for the most common one (src/shared/values/nothing.ts). */
      readonly payload: Uint8Array | null
      /** The limit that the execution exceeded, if any. */
      readonly exceeded: ExceededLimit | null
    })
  /** An execution that stopped where it awaits host calls. */
  | (RunReport & { readonly kind: 'suspended' })
  /** Answer of `snapshot`. */
  | {
      readonly kind: 'captured'
      /** The blocks that are not in the base. No other thread has this memory. */
      readonly body: Uint8Array
      /** The order of the body's blocks (src/shared/snapshot/body.ts); null if `body` is the whole body, in version 2 of the format. */
      readonly plan: Uint32Array | null
      readonly bodyHash: Uint8Array
      readonly rawBytes: number
      readonly memoryBytes: number
      /** MessagePack, written by the kernel. */
      readonly description: Uint8Array
      readonly values: Uint8Array
      readonly files: readonly { readonly path: string; readonly sizeBytes: number }[]
      /** Memory that the slot gives back with this reply: that of the snapshot, and that used for packing it. */
      readonly returnedBytes: number
    }
  /** A snapshot was not taken or not restored, and nothing was changed. */
  | { readonly kind: 'refused'; readonly reason: RefusalReason; readonly message: string }
  /** The interpreter is gone, and the worker should be ended. */
  | { readonly kind: 'died'; readonly reason: string }
  /** Answers of `file`: the result, or the operating system's error name. */
  | ({ readonly kind: 'file' } & FileAnswer)
  | { readonly kind: 'file-error'; readonly code: string }
  /** Answer of `revert`. `done` is false if the interpreter has grown too large to become the image again. */
  | { readonly kind: 'reverted'; readonly done: boolean }

/** `no-room` means that the manager's `maxMemoryBytes` leaves no room for it now. */
export type RefusalReason = 'corrupt' | 'too-large' | 'not-captured' | 'no-room'

/** The methods that a slot exposes over Comlink. Each answers with a `SlotReply`, and none throws. */
export interface SlotMethods {
  attach(request: AttachRequest): Promise<SlotReply>
  execute(request: ExecuteRequest): Promise<SlotReply>
  /** Continues an execution that was suspended, in this slot or before a snapshot was taken. */
  resume(request: ResumeRequest): Promise<SlotReply>
  /** Replaces the callbacks that Python sees. Takes marshal bytes of the kernel's list. */
  setCallbacks(callbacks: Uint8Array): Promise<SlotReply>
  get(id: number, name: string): Promise<SlotReply>
  set(id: number, name: string, value: Uint8Array): Promise<SlotReply>
  clear(id: number): Promise<SlotReply>
  /** Ends the wait of execution `id` if it is awaiting; running code is reached through shared memory instead. */
  interrupt(id: number): Promise<SlotReply>
  /** Captures the whole state of the session, at an empty stack. The session continues. Answers `captured` or `refused`. */
  snapshot(id: number, request: SnapshotRequest): Promise<SlotReply>
  /**
   * Restores the session of a snapshot, in place of the current state. Answers like `attach`, or `refused` with nothing
   * changed.
   */
  restore(request: RestoreRequest): Promise<SlotReply>
  revert(): Promise<SlotReply>
  /** Runs one operation on the private files, even while an execution awaits. Answers `file` or `file-error`. */
  file(request: FileRequest): Promise<SlotReply>
  /** Runs a little code (`thoroughly`: some of everything) and reverts, so that V8 has compiled what sessions use. Before any `attach`. */
  warm(thoroughly: boolean): Promise<SlotReply>
}

/** Messages that a slot sends without a request. They use the same port, to keep the order. */
export type SlotEvent =
  | { readonly event: 'ready' }
  | {
      /** New host calls of execution `id`, in its `batch`th batch. */
      readonly event: 'calls'
      readonly id: number
      readonly batch: number
      /** Marshal bytes of a list of (id, name, arguments). */
      readonly calls: Uint8Array
      /** Total bytes of all answers ever sent to the slot that Python has taken, or that were dropped. */
      readonly takenBytes: number
    }
  | ({ readonly event: 'output'; readonly id: number } & LiveOutput)
  /** A display as the kernel's marshal bytes (workers/kernel/_brumate/displays.py). */
  | { readonly event: 'display'; readonly id: number; readonly display: Uint8Array }

export function unreachable(value: never): never {
  throw new Error(`unreachable: ${String(value)}`)
}
