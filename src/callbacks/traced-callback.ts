// Runs a callback within a span of the manager's telemetry, which also records its metric. Not used without telemetry.
import { isInstance } from '../shared/thrown.js'
import type { Timing } from '../telemetry/timing.js'
import { type RunningCall, Suspension } from './running-call.js'

/** Settles like the callback. */
export async function traceCallback(timing: Timing, call: RunningCall, run: () => unknown): Promise<unknown> {
  try {
    const result = await timing.within(run)
    // The result came too late: Python has already received a failure.
    if (call.abortedBy) timing.fail(call.abortedBy)
    else timing.end()
    return result
  } catch (error) {
    if (isInstance(error, Suspension)) timing.end({ outcome: 'suspended' })
    else timing.fail(error)
    throw error
  }
}
