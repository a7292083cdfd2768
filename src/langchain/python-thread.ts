// Python for one thread of an agent: its session, the agent's tools in it, and the running call. Owns the order of calls, and how a call
// that a human interrupts is continued; interrupts.ts has the answers.
import type { RunnableConfig } from '@langchain/core/runnables'
import { NO_OUTPUT, textOf } from '../presentation/outcome.js'
import { type ModelOutcome, PythonTool, type PythonToolOptions } from '../presentation/python-tool.js'
import { type ToolCallbacks, toolCallbacks } from '../presentation/tool-callbacks.js'
import type { Session } from '../session.js'
import { ExecutionError } from '../shared/errors.js'
import { type AgentTool, foreignTool } from './agent-tools.js'
import { answer, answeredBefore, type RunningCall } from './interrupts.js'

type Output = Pick<ModelOutcome, 'text' | 'images'>

const NOTHING: Output = { text: NO_OUTPUT, images: [] }

export class PythonThread {
  /** Tools that code can call: those of the model's last turn. */
  agentTools: readonly AgentTool[] = []
  readonly #session: Session
  readonly #tool: PythonTool
  /** Tools that the session has as callbacks. */
  #givenTools: readonly AgentTool[] = []
  #callbacks: ToolCallbacks = {}
  #running: RunningCall | undefined
  /** Output of a suspended call so far. */
  #earlier = NOTHING
  /** Settles when the last call has settled. */
  #tail: Promise<unknown> = Promise.resolve()

  constructor(session: Session, options: Omit<PythonToolOptions, 'session'>) {
    this.#session = session
    this.#tool = new PythonTool({ ...options, session })
  }

  /** The description for the model. */
  describe(): string {
    return this.#tool.describe(this.#callbacksOf(this.agentTools))
  }

  /**
   * Runs code. Calls run one after the other, so that code has the tools and the context of its own call.
   *
   * @throws the interrupt of a tool that waits for a human
   */
  run(code: string, config: RunnableConfig): Promise<ModelOutcome> {
    const outcome = this.#tail.then(() => this.#runOrResume(code, config))
    this.#tail = outcome.catch(() => {})
    return outcome
  }

  async #runOrResume(code: string, config: RunnableConfig): Promise<ModelOutcome> {
    const session = this.#session
    const { signal } = config
    const answered = answeredBefore(session.pending, config)
    const call: RunningCall = { config, answered: answered ?? 0, interrupt: undefined }
    this.#running = call
    let outcome: ModelOutcome
    if (answered !== undefined) {
      const answers = await answer(session.pending, this.#callbacks, call, session)
      outcome = await this.#tool.resume(answers, { signal })
    } else {
      await abandon(session)
      await this.#giveTools()
      outcome = await this.#tool.run(code, { signal })
    }
    const earlier = answered === undefined ? NOTHING : this.#earlier
    this.#earlier = NOTHING
    if (outcome.structured.status !== 'suspended' || call.interrupt === undefined)
      return { ...outcome, ...joined(earlier, outcome) }
    const { pending: _, ...written } = outcome.structured
    this.#earlier = joined(earlier, { text: textOf(written), images: outcome.images })
    throw call.interrupt
  }

  async #giveTools(): Promise<void> {
    const [tools, given] = [this.agentTools, this.#givenTools]
    if (tools.length === given.length && tools.every((one, i) => one === given[i])) return
    const callbacks = this.#callbacksOf(tools)
    await this.#tool.setCallbacks(callbacks)
    this.#callbacks = callbacks
    this.#givenTools = tools
  }

  #callbacksOf(tools: readonly AgentTool[]): ToolCallbacks {
    return toolCallbacks(tools.map((one) => foreignTool(one, () => this.#running)))
  }
}

/** Puts the output before the suspension first. */
function joined(earlier: Output, later: Output): Output {
  const texts = [earlier.text, later.text].filter((text) => text !== NO_OUTPUT)
  return { text: texts.join('\n') || NO_OUTPUT, images: [...earlier.images, ...later.images] }
}

/** Ends a suspended execution that nobody will answer. */
async function abandon(session: Session): Promise<void> {
  if (session.pending.length === 0) return
  const abandoned = new Error('the question was dropped: the conversation continued without an answer')
  const errors = Object.fromEntries(session.pending.map(({ id }) => [id, abandoned]))
  try {
    await session.resume({ errors })
  } catch (error) {
    // What the abandoned code does with the error does not matter.
    if (!(error instanceof ExecutionError) || session.state === 'closed') throw error
  }
}
