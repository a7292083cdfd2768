// Assembles the result of an execution from the slot's reply and the output and displays that arrived before. Owns no state.
import type { FileChanges, SlotReply } from '../shared/messages/slot.js'
import type { PendingCall } from '../shared/snapshot/manifest.js'
import type { RunningExecution } from './execution.js'
import type { ExecuteResult, LastValue } from './outcome.js'

interface Ended {
  readonly reply: Extract<SlotReply, { kind: 'outcome' | 'suspended' }>
  readonly executionCount: number
  readonly execution: RunningExecution
  readonly last: LastValue | undefined
  readonly callbackInvocations: number
  readonly pending: readonly PendingCall[]
}

const NO_VALUE: LastValue = { value: undefined, exact: true, lost: [], repr: undefined, display: {} }
const NO_CHANGES: FileChanges = { files: [], more: 0 }

export function resultOf(ended: Ended): ExecuteResult {
  const { reply, executionCount, execution, last = NO_VALUE, callbackInvocations, pending } = ended
  const { stdout, stderr, displays } = execution.produced
  const { durationMs, peakMemoryBytes, outputBytes, fileBytes, changes = NO_CHANGES } = reply
  return {
    status: reply.kind === 'suspended' ? 'suspended' : 'completed',
    stdout,
    stderr,
    ...last,
    displays: Object.keys(last.display).length > 0 ? [...displays, last.display] : displays,
    executionCount,
    durationMs,
    peakMemoryBytes,
    outputBytes,
    fileBytes,
    files: changes.files,
    moreFiles: changes.more,
    callbackInvocations,
    pending,
  }
}
