// Runs a callback as a span of the manager's telemetry, which has its metric, too. Without telemetry nothing here runs.
import { isInstance } from '../shared/thrown.js'
import type { Timing } from '../telemetry/timing.js'
import { type RunningCall, Suspension } from './running-call.js'

/** Settles as the callback does. */
export async function traceCallback(timing: Timing, call: RunningCall, run: () => unknown): Promise<unknown> {
  try {
    const result = await timing.within(run)
    // Python was told of a failure before: it came too late.
    if (call.abortedBy) timing.fail(call.abortedBy)
    else timing.end()
    return result
  } catch (error) {
    if (isInstance(error, Suspension)) timing.end({ outcome: 'suspended' })
    else timing.fail(error)
    throw error
  }
}
