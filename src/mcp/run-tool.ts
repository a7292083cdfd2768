// The tool `run_python`. Owns running code for a request: its timeout, cancellation and progress.
import type { ServerContext } from '@modelcontextprotocol/server'
import type { OutputChunk } from '../options/execution.js'
import type { ResolvedMcpOptions } from './options.js'
import { resultOf, resultOfError } from './result.js'
import type { Tenant } from './tenant.js'
import type { Tool } from './tool.js'

/** Clients that treat progress as a sign of life wait longer than their own timeout. */
const HEARTBEAT_MS = 5000
const OUTPUT_INTERVAL_MS = 250
const MAX_LINE_LENGTH = 200

export function runTool(
  tenant: Tenant,
  { maxTextLength, onError }: Pick<ResolvedMcpOptions, 'maxTextLength' | 'onError'>,
): Tool['call'] {
  return async (args, context) => {
    const { code = '', session: name = 'default', timeout } = args
    const { signal } = context.mcpReq
    const { session, notes } = await tenant.open(name, signal)
    const { outputs } = tenant
    const shaping = { session: name, notes, outputs, maxTextLength }
    const progress = new ProgressReports(context, onError)
    try {
      const result = await session.execute(code, {
        signal,
        ...(timeout === undefined ? {} : { timeoutMs: timeout * 1000 }),
        ...(progress.isWanted ? { onOutput: (chunk) => progress.report(chunk) } : {}),
      })
      return resultOf(result, shaping)
    } catch (error) {
      const result = resultOfError(error, shaping)
      if (result === undefined) throw error
      return result
    } finally {
      progress.stop()
    }
  }
}

/** Sends `notifications/progress` to a client that asked for them: the last line of output, and a heartbeat. */
class ProgressReports {
  readonly #context: ServerContext
  readonly #onError: (error: Error) => void
  readonly #startedMs = performance.now()
  readonly #timer: NodeJS.Timeout | undefined
  #reportedMs = 0
  #lastLine = ''

  constructor(context: ServerContext, onError: (error: Error) => void) {
    this.#context = context
    this.#onError = onError
    if (this.isWanted) this.#timer = setInterval(() => this.#send('running'), HEARTBEAT_MS)
  }

  get isWanted(): boolean {
    return this.#context.mcpReq._meta?.progressToken !== undefined
  }

  report({ text }: OutputChunk): void {
    const line = text.trimEnd().slice(-MAX_LINE_LENGTH)
    this.#lastLine = line.slice(line.lastIndexOf('\n') + 1).toWellFormed()
    if (performance.now() - this.#reportedMs < OUTPUT_INTERVAL_MS) return
    this.#send(this.#lastLine)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #send(message: string): void {
    const progressToken = this.#context.mcpReq._meta?.progressToken
    if (progressToken === undefined) return
    this.#reportedMs = performance.now()
    // In seconds, because it must grow with every report.
    const progress = (this.#reportedMs - this.#startedMs) / 1000
    this.#context.mcpReq
      .notify({ method: 'notifications/progress', params: { progressToken, progress, message } })
      .catch((error) => this.#onError(error))
  }
}
