// `pythonMiddleware`: one tool for code, which calls the agent's other tools. Owns which session a thread has, and which tools its code can
// call; agent-tools.ts calls them.
import type { RunnableConfig } from '@langchain/core/runnables'
import { tool } from '@langchain/core/tools'
import { type AgentMiddleware, createMiddleware } from 'langchain'
import type { SessionManager } from '../manager.js'
import { isFunction, isRecord, known } from '../options/check.js'
import type { GetOrCreateOptions } from '../options.js'
import { NO_OUTPUT, textOf } from '../presentation/outcome.js'
import {
  type ModelOutcome,
  PYTHON_ARGUMENTS,
  PYTHON_TOOL_NAME,
  PythonTool,
  type PythonToolOptions,
} from '../presentation/python-tool.js'
import { type ToolCallbacks, toolCallbacks } from '../presentation/tool-callbacks.js'
import type { Session } from '../session.js'
import { ExecutionError, InvalidOptionError } from '../shared/errors.js'
import { type AgentTool, foreignTool, isAgentTool } from './agent-tools.js'
import { contentOf } from './content.js'
import { answer, answeredBefore, type RunningCall } from './interrupts.js'

export interface PythonMiddlewareOptions extends Omit<PythonToolOptions, 'session' | 'description'> {
  /** Runs the sessions, one for each thread. It stays open: close it yourself. */
  readonly manager: SessionManager
  /**
   * Names of the agent's tools that code can call, or `all` but this one. Their calls are the code's own: no model asked for them, so no other
   * middleware sees them, and nobody approves them. Default: none.
   */
  readonly tools?: readonly string[] | 'all'
  /** Takes these tools from the model, so that only code calls them. Default false. */
  readonly hideTools?: boolean
  /** Options of a thread's session, such as `limits`, `vfs` and `tenant`. Default: those of the manager, and 60 s for each call of a tool. */
  readonly session?: (threadId: string) => Omit<GetOrCreateOptions, 'callbacks'>
  /** Id of the session of a thread. Default: `langchain-` and the thread's id. */
  readonly sessionId?: (threadId: string) => string
}

/** What a session has while it is open. */
interface Python {
  readonly tool: PythonTool
  readonly session: Session
  current: RunningCall | undefined
  /** What a suspended call had to show. */
  earlier: Output
  /** Settles when the last call has. */
  tail: Promise<unknown>
  /** Of the model's last turn. */
  agentTools: readonly AgentTool[]
  /** Those that the session has as callbacks. */
  givenTools: readonly AgentTool[]
  callbacks: ToolCallbacks
}

type Output = Pick<ModelOutcome, 'text' | 'images'>

const NOTHING: Output = { text: NO_OUTPUT, images: [] }
const DESCRIPTION =
  'Runs Python code. Variables, functions and imports stay for later calls; the value of the last expression is shown.'
/** The default of callbacks is short for tools that call models. */
const TOOL_TIMEOUT_MS = 60_000
const WITHOUT_THREAD =
  'pythonMiddleware: there is no thread; invoke the agent with { configurable: { thread_id } }, whose session keeps the variables'

/**
 * Middleware for `createAgent` with the tool `run_python`. Each thread (`configurable.thread_id`) has a session of its own, kept by the
 * manager's store under an id that follows from the thread's. The system message tells the model what the session has.
 *
 * @throws InvalidOptionError
 */
export function pythonMiddleware(options: PythonMiddlewareOptions): AgentMiddleware {
  const sessions = new ThreadSessions(options)
  const run = async ({ code }: { code: string }, config: RunnableConfig) => {
    const python = await sessions.of(config.configurable?.thread_id)
    const outcome = await sessions.run(python, code, config)
    return [contentOf(outcome), outcome.structured]
  }
  const runPython = tool(run as never, {
    name: PYTHON_TOOL_NAME,
    description: DESCRIPTION,
    schema: PYTHON_ARGUMENTS,
    responseFormat: 'content_and_artifact',
  })
  return createMiddleware({
    name: 'PythonMiddleware',
    tools: [runPython as never],
    wrapModelCall: async (request, handler) => {
      const python = await sessions.of(request.runtime.configurable?.thread_id)
      const isCallable = (one: unknown): one is AgentTool => isAgentTool(one) && sessions.isCallable(one.name)
      const callable = (request.tools as readonly unknown[]).filter(isCallable)
      python.agentTools = callable
      const shown = options.hideTools ? request.tools.filter((one) => !isCallable(one)) : request.tools
      const text = `\n\n# The tool ${PYTHON_TOOL_NAME}\n\n${python.tool.describe(callbacksOf(python, callable))}`
      return handler({ ...request, tools: shown, systemMessage: request.systemMessage.concat(text) })
    },
  }) as AgentMiddleware
}

class ThreadSessions {
  readonly #options: PythonMiddlewareOptions
  readonly #opened = new WeakMap<Session, Python>()

  constructor(options: PythonMiddlewareOptions) {
    isRecord('options', options)
    known('options', options, [
      ...['manager', 'tools', 'hideTools', 'session', 'sessionId', 'timeoutMs', 'maxTextLength'],
    ])
    if (typeof options.manager?.getOrCreate !== 'function')
      throw new InvalidOptionError('manager', 'a SessionManager', options.manager)
    const { tools = [] } = options
    if (tools !== 'all' && !Array.isArray(tools))
      throw new InvalidOptionError('tools', '"all", or an array of names', tools)
    isFunction('session', options.session)
    isFunction('sessionId', options.sessionId)
    this.#options = options
  }

  isCallable(name: string): boolean {
    const { tools = [] } = this.#options
    return name !== PYTHON_TOOL_NAME && (tools === 'all' || tools.includes(name))
  }

  /** @throws InvalidOptionError without a thread */
  async of(threadId: unknown): Promise<Python> {
    if (typeof threadId !== 'string')
      throw new InvalidOptionError('configurable.thread_id', 'the id of a thread', threadId, WITHOUT_THREAD)
    const { manager, session: optionsOf, sessionId, timeoutMs, maxTextLength } = this.#options
    const id = sessionId?.(threadId) ?? `langchain-${threadId}`
    const given = optionsOf?.(threadId)
    const limits = { callbackTimeoutMs: TOOL_TIMEOUT_MS, ...given?.limits }
    const session = await manager.getOrCreate(id, { ...given, limits })
    const known = this.#opened.get(session)
    if (known) return known
    const toolOptions = {
      session,
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      ...(maxTextLength === undefined ? {} : { maxTextLength }),
    }
    const python: Python = {
      ...{
        session,
        tool: new PythonTool(toolOptions),
        current: undefined,
        earlier: NOTHING,
        tail: Promise.resolve(),
      },
      ...{ agentTools: [], givenTools: [], callbacks: {} },
    }
    this.#opened.set(session, python)
    return python
  }

  /** One after the other, so that code has the tools and the context of its own call. */
  run(python: Python, code: string, config: RunnableConfig): Promise<ModelOutcome> {
    const outcome = python.tail.then(() => runOrResume(python, code, config))
    python.tail = outcome.catch(() => {})
    return outcome
  }
}

/** @throws the interrupt of a tool that waits for a human */
async function runOrResume(python: Python, code: string, config: RunnableConfig): Promise<ModelOutcome> {
  const { tool: pythonTool, session } = python
  const { signal } = config
  const answered = answeredBefore(session.pending, config)
  const call: RunningCall = { config, answered: answered ?? 0, interrupt: undefined }
  python.current = call
  let outcome: ModelOutcome
  if (answered !== undefined) {
    const answers = await answer(session.pending, python.callbacks, call, session)
    outcome = await pythonTool.resume(answers, { signal })
  } else {
    await abandon(session)
    await giveTools(python)
    outcome = await pythonTool.run(code, { signal })
  }
  const earlier = answered === undefined ? NOTHING : python.earlier
  python.earlier = NOTHING
  if (outcome.structured.status !== 'suspended' || call.interrupt === undefined)
    return { ...outcome, ...joined(earlier, outcome) }
  const { pending: _, ...written } = outcome.structured
  python.earlier = joined(earlier, { text: textOf(written), images: outcome.images })
  throw call.interrupt
}

/** What the code had to show before it was suspended comes first. */
function joined(earlier: Output, later: Output): Output {
  const texts = [earlier.text, later.text].filter((text) => text !== NO_OUTPUT)
  return { text: texts.join('\n') || NO_OUTPUT, images: [...earlier.images, ...later.images] }
}

/** Ends an execution for whose human nobody waits any more. */
async function abandon(session: Session): Promise<void> {
  const abandoned = new Error('the question was dropped: the conversation went on without an answer')
  const errors = Object.fromEntries(session.pending.map(({ id }) => [id, abandoned]))
  if (session.pending.length === 0) return
  try {
    await session.resume({ errors })
  } catch (error) {
    // What the code makes of it is nobody's business any more.
    if (!(error instanceof ExecutionError) || session.state === 'closed') throw error
  }
}

async function giveTools(python: Python): Promise<void> {
  const { agentTools, givenTools } = python
  const isSame =
    agentTools.length === givenTools.length && agentTools.every((one, i) => one === givenTools[i])
  if (isSame) return
  const callbacks = callbacksOf(python, agentTools)
  await python.tool.setCallbacks(callbacks)
  python.callbacks = callbacks
  python.givenTools = agentTools
}

function callbacksOf(python: Python, tools: readonly AgentTool[]) {
  return toolCallbacks(tools.map((one) => foreignTool(one, () => python.current)))
}
