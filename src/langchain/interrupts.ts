// Tools that ask a human while Python awaits them (`interrupt()` of LangGraph). Owns what a suspended execution remembers, and the answers.
// After the human's answer LangGraph repeats the whole tool call; Python then resumes instead of starting over.
import type { RunnableConfig } from '@langchain/core/runnables'
import type { ToolCallbacks } from '../presentation/tool-callbacks.js'
import type { CallbackContext } from '../session.js'
import type { PendingCall } from '../shared/snapshot/manifest.js'

/** The state of a running call of `run_python`. */
export interface RunningCall {
  readonly config: RunnableConfig
  /** Number of answered interrupts whose tools have returned. LangGraph gives a call its answers in order, from the first. */
  answered: number
  /** The interrupt that the waiting tool has thrown. */
  interrupt: unknown
}

export interface Answers {
  readonly results: Readonly<Record<string, unknown>>
  readonly errors: Readonly<Record<string, unknown>>
}

/** LangGraph's counter of the interrupts in a task. */
interface Scratchpad {
  interruptCounter: number
}

const PREFIX = 'a human has to answer; call '

export function isInterrupt(error: unknown): boolean {
  return ['GraphInterrupt', 'NodeInterrupt'].includes(Object(error).name)
}

/** Suspends the tool's call. Always throws. */
export function suspendFor(error: unknown, name: string, call: RunningCall, context: CallbackContext): never {
  if (call.interrupt !== undefined)
    throw new Error(`${name} waits for a human, and so does another tool; await one after the other`)
  call.interrupt = error
  return context.suspend(`${PREFIX}${toolCallId(call.config)}, answer ${call.answered}`)
}

/** If the session is suspended in this very call of `run_python`: how many of its interrupts were answered before. */
export function answeredBefore(pending: readonly PendingCall[], config: RunnableConfig): number | undefined {
  const start = `${PREFIX}${toolCallId(config)}, answer `
  const waiting = pending.find(({ reason }) => reason?.startsWith(start))
  return waiting && Number(waiting.reason?.slice(start.length))
}

/** Calls the waiting tool again; its interrupt now returns the answer. @throws the interrupt if the tool asks once more */
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
        `the process was restarted, so the agent's tools are no longer known; call ${name} again`,
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
