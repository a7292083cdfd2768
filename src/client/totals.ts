// Combines the parts of an execution that was suspended and resumed while callbacks answered, as if they had run beside Python. Owns adding
// them up.
import type { WireExecution, WireResult } from '../presentation/wire.js'
import type { ExecuteResult } from '../session/outcome.js'
import type { Display } from '../shared/display.js'
import type { ChangedFile } from '../shared/messages/slot.js'
import type { Produced } from './errors.js'
import { decodeDisplay, decodePending, decodeValue } from './values.js'

const SUMS = ['durationMs', 'outputBytes', 'callbackInvocations'] as const

export class Totals implements Produced {
  stdout = ''
  stderr = ''
  readonly displays: Display[] = []
  readonly #files = new Map<string, ChangedFile>()
  readonly #sums = { durationMs: 0, outputBytes: 0, callbackInvocations: 0 }
  #moreFiles = 0
  /** How long the execution has waited for this client's answers. */
  waitedMs = 0

  /** How much of its time limit the execution has used. */
  get spentMs(): number {
    return this.#sums.durationMs + this.waitedMs
  }

  add(part: WireExecution): void {
    this.stdout += part.stdout
    this.stderr += part.stderr
    this.displays.push(...part.displays.map(decodeDisplay))
    if (part.status === 'error') return
    for (const name of SUMS) this.#sums[name] += part[name]
    for (const file of part.files) this.#addFile(file)
    this.#moreFiles = Math.max(this.#moreFiles, part.moreFiles)
  }

  /** @param last the part with which the execution ended */
  result(last: WireResult): ExecuteResult {
    const { status, exact, lost, executionCount, peakMemoryBytes, fileBytes } = last
    return {
      ...{ status, stdout: this.stdout, stderr: this.stderr },
      value: last.value === undefined ? undefined : decodeValue(last.value),
      ...{ exact, lost, repr: last.repr },
      ...{ display: decodeDisplay(last.display), displays: this.displays },
      ...{ executionCount, peakMemoryBytes, fileBytes, ...this.#sums },
      files: [...this.#files.values()].sort((a, b) => (a.path < b.path ? -1 : 1)),
      moreFiles: this.#moreFiles,
      pending: last.pending.map(decodePending),
    }
  }

  /** A file that was created and then changed counts as created; one that was created and then removed does not count. */
  #addFile(file: ChangedFile): void {
    const before = this.#files.get(file.path)
    if (before?.change !== 'created') this.#files.set(file.path, file)
    else if (file.change === 'removed') this.#files.delete(file.path)
    else this.#files.set(file.path, { ...file, change: 'created' })
  }
}
