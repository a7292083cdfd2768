// Tools that ask a human while Python awaits them (`interrupt()` of LangGraph). Owns what a suspended execution has to know, and the answers: LangGraph
// runs the whole tool call again when the human has answered, and Python goes on instead of starting anew.
import type { RunnableConfig } from '@langchain/core/runnables'
import type { ToolCallbacks } from '../presentation/tool-callbacks.js'
import type { CallbackContext } from '../session.js'
import type { PendingCall } from '../shared/snapshot/manifest.js'

/** A call of `run_python` while it runs. */
export interface RunningCall {
  readonly config: RunnableConfig
  /** Interrupts of the call that were answered and whose tools have returned. LangGraph gives its answers in order, from the first. */
  answered: number
  /** Thrown by the tool that waits. */
  interrupt: unknown
}

export interface Answers {
  readonly results: Readonly<Record<string, unknown>>
  readonly errors: Readonly<Record<string, unknown>>
}

/** LangGraph's count of the interrupts of one task. */
interface Scratchpad {
  interruptCounter: number
}

const PREFIX = 'a human has to answer; call '

export function isInterrupt(error: unknown): boolean {
  return ['GraphInterrupt', 'NodeInterrupt'].includes(Object(error).name)
}

/** Leaves the call of the tool without an answer. Throws in any case. */
export function suspendFor(error: unknown, name: string, call: RunningCall, context: CallbackContext): never {
  if (call.interrupt !== undefined)
    throw new Error(`${name} waits for a human, and so does another tool; await one after the other`)
  call.interrupt = error
  return context.suspend(`${PREFIX}${toolCallId(call.config)}, answer ${call.answered}`)
}

/** Answers of earlier calls of tools, if the session is suspended in this very call of `run_python`. */
export function answeredBefore(pending: readonly PendingCall[], config: RunnableConfig): number | undefined {
  const start = `${PREFIX}${toolCallId(config)}, answer `
  const waiting = pending.find(({ reason }) => reason?.startsWith(start))
  return waiting && Number(waiting.reason?.slice(start.length))
}

/** Calls the tool that waits again: it now has the answer. @throws the interrupt if it asks once more */
export async function answer(
  [waiting]: readonly PendingCall[],
  callbacks: ToolCallbacks,
  call: RunningCall,
  session: CallbackContext['session'],
): Promise<Answers> {
  if (waiting === undefined) return { results: {}, errors: {} }
  const { id, name, args } = waiting
  const scratchpad: Scratchpad | undefined = call.config.configurable?.__pregel_scratchpad
  if (scratchpad) scratchpad.interruptCounter += call.answered
  const suspend = () => {
    throw call.interrupt
  }
  const signal = call.config.signal ?? new AbortController().signal
  try {
    const callback = callbacks[name]
    if (callback === undefined)
      throw new Error(
        `the agent's tools are not known any more, for the process was started anew; call ${name} again`,
      )
    const result = await callback.fn(args, { session, signal, suspend })
    return { results: { [id]: result }, errors: {} }
  } catch (error) {
    if (isInterrupt(error)) throw error
    return { results: {}, errors: { [id]: error } }
  } finally {
    if (scratchpad) call.answered = scratchpad.interruptCounter + 1
  }
}

function toolCallId(config: RunnableConfig): string {
  return String((config as { toolCall?: { id?: string } }).toolCall?.id)
}
