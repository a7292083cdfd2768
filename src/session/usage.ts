// Counts what a session has used since it was created in this process. Owns the sums. The numbers come from the slot; a lost worker
// reports none. Does not enforce limits.
import type { RunReport } from '../shared/messages/slot.js'

export interface SessionUsage {
  /** Number of `execute` and `resume` calls that ran, including failed ones. Unlike `executionCount`, it is never reset. */
  readonly executions: number
  /** Their time in the slot, including waits for host calls. For an execution that was killed: the time until its worker had ended. */
  readonly executionMs: number
  /** Bytes that they wrote to stdout and stderr. */
  readonly outputBytes: number
  /** Number of host calls that they made, including those over the limit. */
  readonly callbackInvocations: number
  /** Memory of the session's interpreter when its last call ended; 0 while the session has no interpreter. */
  readonly memoryBytes: number
  /** The most memory that an interpreter of the session has had at the end of a call. */
  readonly peakMemoryBytes: number
  /** Size of the private files when the last call ended, holes included. */
  readonly fileBytes: number
}

/** What one execution has used. */
export interface ExecutionUsage {
  readonly durationMs: number
  readonly outputBytes: number
  readonly callbackInvocations: number
}

export class Usage {
  #executions = 0
  #executionMs = 0
  #outputBytes = 0
  #callbackInvocations = 0
  #memoryBytes = 0
  #peakMemoryBytes = 0
  #fileBytes = 0

  /** Call when a call of any kind has ended in the slot. */
  update({ memoryBytes, peakMemoryBytes, fileBytes }: RunReport): void {
    this.#memoryBytes = memoryBytes
    this.#peakMemoryBytes = Math.max(this.#peakMemoryBytes, peakMemoryBytes)
    this.#fileBytes = fileBytes
  }

  add({ durationMs, outputBytes, callbackInvocations }: ExecutionUsage): void {
    this.#executions += 1
    this.#executionMs += durationMs
    this.#outputBytes += outputBytes
    this.#callbackInvocations += callbackInvocations
  }

  read(attached: boolean): SessionUsage {
    return {
      executions: this.#executions,
      executionMs: this.#executionMs,
      outputBytes: this.#outputBytes,
      callbackInvocations: this.#callbackInvocations,
      memoryBytes: attached ? this.#memoryBytes : 0,
      peakMemoryBytes: this.#peakMemoryBytes,
      fileBytes: this.#fileBytes,
    }
  }
}
