// Options of the MCP server, and their resolved form. Owns defaults and bounds.
import type { SessionManager } from '../manager.js'
import { isFunction, isRecord, isText, known, numberOption } from '../options/check.js'
import { type Limits, MAX_DELAY_MS } from '../options/limits.js'
import { InvalidOptionError } from '../shared/errors.js'
import type { ServerCommand } from './connect/command.js'

export interface McpOptions {
  /** Runs the sessions. The server does not close it: close it yourself. Give it a `store` to keep sessions across restarts. */
  readonly manager: SessionManager
  /** Tenant that owns the sessions, for `mcpServer` and `serveStdio`; over HTTP, the token decides. Default `local`. */
  readonly tenant?: string
  /** Limits of the sessions; they override the manager's. `callbackTimeoutMs` is that of connected servers' tools; default 60,000. */
  readonly limits?: Partial<Limits>
  /** Longest `timeout` that a client may set, in ms. Default 600,000. */
  readonly maxTimeoutMs?: number
  /** Maximum number of sessions per tenant, and of snapshots. 1 to 100,000. Default 100. */
  readonly maxSessions?: number
  /**
   * Limit for one text in a result, such as stdout, and for the texts of all its displays together, in characters. A longer text is cut in
   * the middle, with a mark; the whole text is available as a resource. 1,000 to 1,000,000. Default 16,000.
   */
  readonly maxTextLength?: number
  /** Other MCP servers to start. Python calls their tools as `tools.NAME`. Default none. */
  readonly connect?: readonly (string | ServerCommand)[]
  /** Called with errors that are not reported to a client, such as a broken connection. Default: they are ignored. */
  readonly onError?: (error: Error) => void
}

export interface ResolvedMcpOptions {
  readonly manager: SessionManager
  readonly tenant: string
  readonly limits: Partial<Limits>
  readonly toolTimeoutMs: number
  readonly maxTimeoutMs: number
  readonly maxSessions: number
  readonly maxTextLength: number
  readonly connect: readonly (string | ServerCommand)[]
  readonly onError: (error: Error) => void
}

export const MCP_OPTION_NAMES = [
  ...['manager', 'tenant', 'limits', 'maxTimeoutMs', 'maxSessions', 'maxTextLength', 'connect', 'onError'],
] as const

const TOOL_TIMEOUT_MS = 60_000
const maxTimeout = numberOption({ min: 1, max: 86_400_000, unit: 'milliseconds' })
const sessions = numberOption({ min: 1, max: 100_000, integer: true })
const length = numberOption({ min: 1000, max: 1_000_000, unit: 'characters', integer: true })

/** @throws InvalidOptionError */
export function resolveMcpOptions(options: McpOptions, others: readonly string[] = []): ResolvedMcpOptions {
  isRecord('options', options)
  known('options', options, [...MCP_OPTION_NAMES, ...others])
  const { manager, connect = [], limits = {} } = options
  if (typeof manager?.getOrCreate !== 'function')
    throw new InvalidOptionError('manager', 'a SessionManager', manager)
  if (!Array.isArray(connect)) throw new InvalidOptionError('connect', 'an array of commands', connect)
  const { callbackTimeoutMs = TOOL_TIMEOUT_MS } = limits
  return {
    manager,
    tenant: isText('tenant', options.tenant, { maxLength: 256 }) ?? 'local',
    limits: connect.length === 0 ? limits : { ...limits, callbackTimeoutMs },
    toolTimeoutMs: callbackTimeoutMs ?? MAX_DELAY_MS,
    maxTimeoutMs: maxTimeout('maxTimeoutMs', options.maxTimeoutMs, 600_000),
    maxSessions: sessions('maxSessions', options.maxSessions, 100),
    maxTextLength: length('maxTextLength', options.maxTextLength, 16_000),
    connect,
    onError: isFunction('onError', options.onError) ?? (() => {}),
  }
}
