// Options of sandboxes: E2B's, some of which have no meaning here, and brumate's. Owns defaults, and which options are rejected.

import type { SessionManager } from '../manager.js'
import { numberOption } from '../options/check.js'
import type { Limits } from '../options/limits.js'
import { InvalidOptionError } from '../shared/errors.js'
import { NotSupportedError } from './errors.js'
import { type ManagerSource, SHARED, sourceOf } from './manager-source.js'

/** Options that E2B needs to reach its cloud: accepted, but not used. */
export interface ConnectionOpts {
  apiKey?: string
  accessToken?: string
  domain?: string
  debug?: boolean
  requestTimeoutMs?: number
  headers?: Record<string, string>
  signal?: AbortSignal
}

export interface BrumateOpts {
  /**
   * Runs the sessions; with a `store`, sandboxes outlive the process. You have to close it yourself. Default: a manager that all sandboxes
   * without one share, and whose store is the memory of this process.
   */
  manager?: SessionManager
  /** Limits of each context's session; they override the manager's. Default of `fileBytes`: 192 MiB, plus 64 MiB for the home directory. */
  limits?: Partial<Limits>
}

export type SandboxApiOpts = ConnectionOpts & Pick<BrumateOpts, 'manager'>

export interface SandboxOpts extends ConnectionOpts, BrumateOpts {
  /** Labels that `list` can filter by: at most 32 texts of 256 characters. */
  metadata?: Record<string, string>
  /** Environment variables of all contexts. */
  envs?: Record<string, string>
  /** How long the sandbox lives before it is killed, in ms. Default 300,000. */
  timeoutMs?: number
  /** `pause`: the sandbox is paused instead of killed. `autoResume`: calls on this handle resume it. */
  lifecycle?: {
    onTimeout: 'kill' | 'pause' | { action: 'kill' | 'pause'; keepMemory?: boolean }
    autoResume?: boolean
  }
  /** Accepted for compatibility. */
  secure?: boolean
  /** `true` is rejected: sessions have no network. */
  allowInternetAccess?: boolean
}

const DEFAULT_TIMEOUT_MS = 300_000
const TEMPLATES = ['base', 'code-interpreter-v1']
const REFUSED = {
  mcp: 'MCP servers are run with brumate/mcp',
  volumeMounts: 'volumes are a VfsStorage, for sessions of your own: createSession({ vfs })',
  iam: 'sessions have no network',
}
const timeout = numberOption({ min: 1, max: 2 ** 31 - 1, unit: 'milliseconds' })

export function sourceOfOptions({ manager }: BrumateOpts): ManagerSource {
  if (manager === undefined) return SHARED
  if (typeof manager?.getOrCreate !== 'function')
    throw new InvalidOptionError('manager', 'a SessionManager', manager)
  return sourceOf(manager)
}

export function timeoutOf(timeoutMs: number | undefined, fallback = DEFAULT_TIMEOUT_MS): number {
  return timeout('timeoutMs', timeoutMs, fallback)
}

/** @throws NotSupportedError */
export function requireTemplate(template: string | undefined): void {
  if (template === undefined || TEMPLATES.includes(template)) return
  throw new NotSupportedError(
    `template ${JSON.stringify(template)}: a template is an image here; build one with packages, SessionManager.create({ packages }), and pass { manager }`,
  )
}

/** @throws NotSupportedError */
export function requireSupported(options: SandboxOpts): void {
  for (const [name, remedy] of Object.entries(REFUSED))
    if (name in options) throw new NotSupportedError(`${name}: ${remedy}`)
  if (options.allowInternetAccess === true)
    throw new NotSupportedError(
      'allowInternetAccess: sessions have no network; offer what the code needs as a callback of a session',
    )
}

/** @throws NotSupportedError */
export function actionOnTimeout({ lifecycle }: SandboxOpts): 'kill' | 'pause' {
  const onTimeout = lifecycle?.onTimeout ?? 'kill'
  const { action, keepMemory = true } = typeof onTimeout === 'string' ? { action: onTimeout } : onTimeout
  requireMemory(keepMemory)
  if (action !== 'kill' && action !== 'pause')
    throw new InvalidOptionError('lifecycle.onTimeout', '"kill" or "pause"', action)
  return action
}

/** @throws NotSupportedError */
export function requireMemory(keepMemory: boolean | undefined): void {
  if (keepMemory === false)
    throw new NotSupportedError(
      'keepMemory: a paused session keeps its variables; forget them with restartCodeContext',
    )
}
