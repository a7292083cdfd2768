// Every message between the caller's thread and a slot, as types. Owns no behaviour but the names: what a message from a
// slot must look like is enforced in slots/guard.ts (R3), because types do not survive a hostile thread.
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
  /** Where it asks for memory. */
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
  /** What the main thread had released of the slot's calls, and what the session's earlier ones still hold (workers/host/credit.ts). */
  readonly releasedBytes: number
  readonly heldBytes: number
}

/**
 * How much effort to spend on making a body small. `least`: a caller waits for it, so only a large body is compressed.
 */
export type Effort = 'small' | 'quick' | 'least'

export interface SnapshotRequest {
  /** Most bytes of global values that travel beside the memory. 0: globals are not described either. */
  readonly valuesBytes: number
  /** Most bytes of the body. */
  readonly maxBytes: number | null
  readonly effort: Effort
  /** Names this capture, if the next one may build on it. Each capture of a slot has another number. */
  readonly number: number | null
  /** An earlier capture of this slot, or what it restored, whose blocks the main thread has. Those that are unchanged need not be sent. */
  readonly base: number | null
}

/** What `restore` takes of a snapshot: src/shared/snapshot/document.ts has the whole. */
export interface RestoreRequest extends AttachRequest {
  /** Hostile. No other thread has this memory. */
  readonly body: Uint8Array
  readonly formatVersion: number
  readonly bodyHash: Uint8Array
  readonly rawBytes: number
  readonly memoryBytes: number
  /** As that of a capture: names the snapshot, if the next capture may build on it. */
  readonly number: number | null
}

export interface ExecuteRequest {
  /** Unique in the slot, from 1 on: what `interrupt` names. */
  readonly id: number
  readonly executionCount: number
  readonly code: string
  /** Send output while it is written, per stream. */
  readonly liveStdout: boolean
  readonly liveStderr: boolean
}

/** What sessions do most: their requests bypass Comlink. */
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
  /** As of an execution. */
  readonly id: number
  readonly liveStdout: boolean
  readonly liveStderr: boolean
  /** Answers of host calls, as the kernel's ANSWER takes them. */
  readonly answers: readonly Uint8Array[]
}

/** Messages to a slot without an answer, on the same port so that order is kept. */
export type SlotNotice =
  /** Answers of host calls: taken when the execution awaits, or by the next one. */
  | { readonly notice: 'answers'; readonly answers: readonly Uint8Array[] }
  /**
   * The execution stops where it awaits, and its call answers `suspended`. Nothing happens if it has sent more than `batches` of
   * host calls: then there is something to wait for.
   */
  | { readonly notice: 'suspend'; readonly id: number; readonly batches: number }
  /** Arguments of host calls were released, and the slot had asked for a notice. */
  | { readonly notice: 'credit' }

/** Output of a running execution, in the order in which it was written. */
export interface LiveOutput {
  /** The stream that `text` begins with: 1 stdout, 2 stderr. */
  readonly stream: 1 | 2
  readonly text: string
  /** If there is text of both streams: how long its parts are. From one part to the next, the stream is the other one. */
  readonly lengths?: Uint32Array
}

/** What an execution did to a private file. */
export interface ChangedFile {
  readonly path: string
  readonly change: 'created' | 'changed' | 'removed'
  readonly sizeBytes: number
}

export interface FileChanges {
  /** By path. */
  readonly files: readonly ChangedFile[]
  /** How many more there are. */
  readonly more: number
}

/** What the main thread asks of the private files. Paths are byte strings, as in `StorageCalls`. */
export type FileRequest =
  | {
      readonly name: 'readFile' | 'writeFile' | 'list' | 'stat' | 'remove' | 'rename' | 'mkdir'
      readonly parameters: readonly unknown[]
    }
  /** A part of a file. `node`: what the last part gave, and 0 for the first one: the file must be the same one still. */
  | {
      readonly name: 'readPart'
      readonly path: string
      readonly node: number
      readonly position: number
      readonly length: number
    }
  /** The first part makes the file, or empties it. */
  | {
      readonly name: 'writePart'
      readonly path: string
      readonly node: number
      readonly position: number
      readonly bytes: Uint8Array
    }

/** What came of it: null, bytes, names that are joined by `/`, a status, or the node of a part. */
export interface FileAnswer {
  readonly bytes: Uint8Array | null
  readonly names: string | null
  readonly status: FileStatus | null
  readonly node: number
}

/** What a call into the kernel wrote and used, however it came out. */
export interface RunReport {
  /** What `output` events have not brought. */
  readonly stdout: string
  readonly stderr: string
  readonly durationMs: number
  /** The interpreter's memory now, and at its most. */
  readonly memoryBytes: number
  readonly peakMemoryBytes: number
  /** Private files, holes included. */
  readonly fileBytes: number
  /** Of this call, both streams. */
  readonly outputBytes: number
  /** As in `calls`. */
  readonly takenBytes: number
  /** Of private files, if there are any. */
  readonly changes?: FileChanges
}

/** What can cut an execution's output off. */
export type ExceededLimit = 'outputBytes' | 'maxMemoryBytes'

/** What a call into the kernel came to. */
export type SlotReply =
  | (RunReport & {
      readonly kind: 'outcome'
      /** Marshal bytes of the kernel's outcome tuple; null for the commonest (src/shared/values/nothing.ts). */
      readonly payload: Uint8Array | null
      /** The limit the execution went past, if any. */
      readonly exceeded: ExceededLimit | null
    })
  /** An execution that stopped where it awaits host calls. */
  | (RunReport & { readonly kind: 'suspended' })
  /** Answer of `snapshot`. */
  | {
      readonly kind: 'captured'
      /** Of its blocks those that are not in the base. No other thread has this memory. */
      readonly body: Uint8Array
      /** The blocks of the body in their order (src/shared/snapshot/body.ts); null: `body` is all of it, in version 2 of the format. */
      readonly plan: Uint32Array | null
      readonly bodyHash: Uint8Array
      readonly rawBytes: number
      readonly memoryBytes: number
      /** MessagePack of the kernel's. */
      readonly description: Uint8Array
      readonly values: Uint8Array
      readonly files: readonly { readonly path: string; readonly sizeBytes: number }[]
      /** Memory that the slot gives back with it: for the snapshot, and what packing it took. */
      readonly returnedBytes: number
    }
  /** A snapshot was not taken or not restored, and nothing was changed. */
  | { readonly kind: 'refused'; readonly reason: RefusalReason; readonly message: string }
  /** The interpreter is gone; the worker is to be ended. */
  | { readonly kind: 'died'; readonly reason: string }
  /** Answers of `file`: what came of it, or the name of the operating system's error. */
  | ({ readonly kind: 'file' } & FileAnswer)
  | { readonly kind: 'file-error'; readonly code: string }
  /** Answer of `revert`: the interpreter is the image again, or it has grown too large for that. */
  | { readonly kind: 'reverted'; readonly done: boolean }

/** `no-room`: the manager's `maxMemoryBytes` leaves no room for it now. */
export type RefusalReason = 'corrupt' | 'too-large' | 'not-captured' | 'no-room'

/** What a slot exposes over Comlink. Every one answers with a `SlotReply` and none throws. */
export interface SlotMethods {
  attach(request: AttachRequest): Promise<SlotReply>
  execute(request: ExecuteRequest): Promise<SlotReply>
  /** Goes on with an execution that was suspended, here or where a snapshot was taken. */
  resume(request: ResumeRequest): Promise<SlotReply>
  /** Replaces the callbacks that Python sees; marshal bytes of the kernel's list. */
  setCallbacks(callbacks: Uint8Array): Promise<SlotReply>
  get(id: number, name: string): Promise<SlotReply>
  set(id: number, name: string, value: Uint8Array): Promise<SlotReply>
  clear(id: number): Promise<SlotReply>
  /** Ends the wait of execution `id` if it is awaiting; running code is reached through shared memory instead. */
  interrupt(id: number): Promise<SlotReply>
  /** The whole state of the session, at an empty stack; the session goes on. Answers `captured` or `refused`. */
  snapshot(id: number, request: SnapshotRequest): Promise<SlotReply>
  /**
   * Becomes the session of a snapshot, in place of whatever is there. Answers as `attach`, or `refused` with everything
   * as it was.
   */
  restore(request: RestoreRequest): Promise<SlotReply>
  revert(): Promise<SlotReply>
  /** One operation on the private files, also while an execution awaits. Answers `file` or `file-error`. */
  file(request: FileRequest): Promise<SlotReply>
  /** Runs a little, thoroughly of everything, and reverts, so that V8 has compiled what sessions use. Before any `attach`. */
  warm(thoroughly: boolean): Promise<SlotReply>
}

/** What a slot says by itself, on the same port so that order is kept. */
export type SlotEvent =
  | { readonly event: 'ready' }
  | {
      /** New host calls of execution `id`, its `batch`th lot. */
      readonly event: 'calls'
      readonly id: number
      readonly batch: number
      /** Marshal bytes of a list of (id, name, arguments). */
      readonly calls: Uint8Array
      /** Of all answers that the slot was ever sent, the bytes that are with Python or dropped. */
      readonly takenBytes: number
    }
  | ({ readonly event: 'output'; readonly id: number } & LiveOutput)
  /** Marshal bytes of the kernel's (workers/kernel/_brumate/displays.py). */
  | { readonly event: 'display'; readonly id: number; readonly display: Uint8Array }

export function unreachable(value: never): never {
  throw new Error(`unreachable: ${String(value)}`)
}
