// The sessions of an agent's threads. Owns the options of the middleware, and the sessions' ids.
import { createHash } from 'node:crypto'
import type { SessionManager } from '../manager.js'
import { isFunction, isRecord, known } from '../options/check.js'
import { resolveTimeoutMs } from '../options/limits.js'
import type { GetOrCreateOptions } from '../options.js'
import { PYTHON_TOOL_NAME, type PythonToolOptions, textLength } from '../presentation/python-tool.js'
import type { Session } from '../session.js'
import { InvalidOptionError } from '../shared/errors.js'
import { PythonThread } from './python-thread.js'

export interface PythonMiddlewareOptions extends Omit<PythonToolOptions, 'session' | 'description'> {
  /** Runs the sessions, one for each thread. You have to close it yourself. */
  readonly manager: SessionManager
  /**
   * Names of the agent's tools that code can call, or `all` except this one. Such calls come from code, not from a model, so other
   * middleware does not see them and nobody approves them. Default: none.
   */
  readonly tools?: readonly string[] | 'all'
  /** Hides these tools from the model, so that only code can call them. Default false. */
  readonly hideTools?: boolean
  /** Options of a thread's session, such as `limits`, `vfs` and `tenant`. Default: the manager's, with 60 s for each call of a tool. */
  readonly session?: (threadId: string) => Omit<GetOrCreateOptions, 'callbacks'>
  /** Id of a thread's session. Default: `langchain-t-` and the thread's id, or `langchain-h-` and its hash if it has other characters. */
  readonly sessionId?: (threadId: string) => string
}

/** The usual limit for callbacks is too short for tools that call models. */
const TOOL_TIMEOUT_MS = 60_000
const WITHOUT_THREAD =
  'pythonMiddleware: there is no thread; invoke the agent with { configurable: { thread_id } }, whose session keeps the variables'

export class ThreadSessions {
  readonly #options: PythonMiddlewareOptions
  readonly #opened = new WeakMap<Session, PythonThread>()

  /** @throws InvalidOptionError */
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
    // Options of each thread's PythonTool, checked now because that is created later.
    resolveTimeoutMs('timeoutMs', options.timeoutMs, null)
    textLength('maxTextLength', options.maxTextLength, null)
    isFunction('session', options.session)
    isFunction('sessionId', options.sessionId)
    this.#options = options
  }

  /** Whether code may call the agent's tool of this name. */
  isCallable(name: string): boolean {
    const { tools = [] } = this.#options
    return name !== PYTHON_TOOL_NAME && (tools === 'all' || tools.includes(name))
  }

  /** @throws InvalidOptionError if there is no thread */
  async of(threadId: unknown): Promise<PythonThread> {
    if (typeof threadId !== 'string')
      throw new InvalidOptionError('configurable.thread_id', 'the id of a thread', threadId, WITHOUT_THREAD)
    const { manager, session: optionsOf, sessionId = defaultId, timeoutMs, maxTextLength } = this.#options
    const given = optionsOf?.(threadId)
    const limits = { callbackTimeoutMs: TOOL_TIMEOUT_MS, ...given?.limits }
    const session = await manager.getOrCreate(sessionId(threadId), { ...given, limits })
    const thread =
      this.#opened.get(session) ??
      new PythonThread(session, {
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
        ...(maxTextLength === undefined ? {} : { maxTextLength }),
      })
    this.#opened.set(session, thread)
    return thread
  }
}

/** A thread's id can be any text, such as an address. */
function defaultId(threadId: string): string {
  if (/^[A-Za-z0-9_-]{1,100}$/.test(threadId)) return `langchain-t-${threadId}`
  return `langchain-h-${createHash('sha256').update(threadId).digest('base64url')}`
}
