// The host as one of the parties that a storage serves. Owns the queue of its calls: they run in order, one step per round, so that
// sessions need not wait for all of them.
import type { StorageAnswer, StorageMessage } from '../../src/shared/messages/storage.js'
import { FsError } from '../host/errno.js'
import { type HostTask, type HostTasks, isTask } from '../host/fs/host-calls.js'
import { Outside } from '../host/fs/node-store.js'
import type { Party } from './turns.js'

export type HostCall = Extract<StorageMessage, { kind: 'call' | 'watch' }>

export interface HostPartyOptions {
  readonly tasks: HostTasks
  /** Called before each call, so that earlier posts of sessions take effect first. */
  readonly takePosted: () => void
  readonly watch: (on: boolean) => void
  readonly send: (message: StorageAnswer, transfer?: ArrayBuffer[]) => void
  /** Runs one step as one moment; see `HostDirectories.begin`. */
  readonly atOnce: <T>(step: () => T) => T
}

export class HostParty implements Party {
  dueMs = 0
  readonly #options: HostPartyOptions
  readonly #calls: HostCall[] = []
  /** How many of `#calls` are done. A counter, because `shift` would move the whole array each time. */
  #done = 0
  #steps: HostTask | undefined

  constructor(options: HostPartyOptions) {
    this.#options = options
  }

  add(call: HostCall): void {
    this.#calls.push(call)
  }

  get isWaiting(): boolean {
    return this.#calls.length > 0
  }

  /** Whether a call is partly done. */
  get isUnderWay(): boolean {
    return this.#steps !== undefined
  }

  serve(): void {
    const call = this.#calls[this.#done]
    if (call === undefined) return
    if (call.kind === 'watch') this.#options.watch(call.on)
    else if (!this.#step(call)) return
    this.#done += 1
    if (this.#done < this.#calls.length && this.#done < 1024) return
    this.#calls.splice(0, this.#done)
    this.#done = 0
  }

  /** Does the next step of a call. Returns whether it was answered. */
  #step({ id, name, parameters }: Extract<HostCall, { kind: 'call' }>): boolean {
    const { atOnce, send } = this.#options
    try {
      const value = atOnce(() => this.#next(name, parameters))
      if (this.#steps !== undefined) return false
      send({ kind: 'answer', id, value }, value instanceof Uint8Array ? [value.buffer as ArrayBuffer] : [])
    } catch (error) {
      this.#steps = undefined
      const code = error instanceof FsError ? error.message : error instanceof Outside ? 'EXDEV' : undefined
      const reason = code ?? (error instanceof RangeError ? 'ENOMEM' : undefined)
      if (reason === undefined) throw error
      send({ kind: 'failed', id, code: reason, path: String(parameters[0]) })
    }
    return true
  }

  /** Does the next step. Returns the call's result if no steps are left. */
  #next(name: keyof HostTasks, parameters: readonly unknown[]): unknown {
    let steps = this.#steps
    if (steps === undefined) {
      const { takePosted, tasks } = this.#options
      takePosted()
      const found = (tasks[name] as (...parameters: readonly unknown[]) => unknown)(...parameters)
      if (!isTask(found)) return found
      steps = found
    }
    const { done, value } = steps.next()
    this.#steps = done ? undefined : steps
    return value
  }
}
