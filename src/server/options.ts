// Options of the HTTP server, and their resolved form. Owns defaults and bounds.
import type { JsonSchema } from '../callbacks/schema.js'
import type { SessionManager } from '../manager.js'
import { isBoolean, isFunction, isRecord, isText, isTexts, known, numberOption } from '../options/check.js'
import { type Limits, MAX_DELAY_MS } from '../options/limits.js'
import { InvalidOptionError } from '../shared/errors.js'
import { type Keyring, type ResolvedKeys, resolveKeys } from './keys.js'
import { type Quotas, resolveQuotas } from './quotas.js'
import { checkUrl, type ResolvedWebhooks, resolveWebhooks, type WebhookOptions } from './webhooks/options.js'

/** A function that Python in every session can call. */
export interface ServerTool {
  readonly description?: string
  /** JSON Schema that arguments are checked against. */
  readonly parameters?: JsonSchema
  /** URL to which calls are sent. Default: `webhooks.url`; without that, calls are suspended, and the client answers them. */
  readonly webhook?: string
}

export interface AppOptions {
  /** Runs the sessions. The server does not close it: close or drain it yourself. Give it a `store` to keep sessions across restarts. */
  readonly manager: SessionManager
  /** Who may use the server. Default: everybody who can reach it, as `tenant`. */
  readonly keys?: Keyring
  /** Quotas of tenants whose keys set none of their own. Default: no bounds. */
  readonly quotas?: Quotas
  /** Without `keys`: the tenant that owns all sessions. Default `local`. */
  readonly tenant?: string
  /** Longest JSON body, in bytes, 1 KiB to 1 GiB. Default 8 MiB. */
  readonly maxBodyBytes?: number
  /** Longest file or snapshot that a client may upload, in bytes, 1 KiB to 1 GiB. Default 256 MiB. */
  readonly maxUploadBytes?: number
  /** Timeout of executions whose request sets none, in ms. Default: that of the manager's limits. */
  readonly executionTimeoutMs?: number
  /** Longest `timeoutMs` that a client may set, in ms. Default 600,000. */
  readonly maxExecutionTimeoutMs?: number
  /** Limits of the sessions; they override the manager's. */
  readonly limits?: Partial<Limits>
  /** The highest limits that a session may ask for. Default: `limits`, then the manager's defaults of 256 MiB of memory and so on. */
  readonly maxLimits?: Partial<Limits>
  /** Functions that Python in every session can call, by name. Default none. */
  readonly tools?: Readonly<Record<string, ServerTool>>
  readonly webhooks?: WebhookOptions
  /** Whether to serve LibreChat's code API too, below `/v1`. Its keys may then come as `X-API-Key`. Default false. */
  readonly librechat?: boolean
  /**
   * How long a session stays open after its last request, in ms. Then it is stored and closed, so that another process on the same store
   * can serve it. 0 to 2,147,483,647. Default 60,000.
   */
  readonly releaseAfterMs?: number
  /** How long a request waits for a session that another process has open, before it gets 409, in ms. Default 2,000. */
  readonly ownerWaitMs?: number
  /** Whether a request may take a session from the process that has it open, with `?takeOver=true`. Default true. */
  readonly allowTakeOver?: boolean
  /** Names allowed in the Host header, without port. Default: those of this machine if `host` is one of them, else any. */
  readonly allowedHosts?: readonly string[]
  /** Origins of web pages that may call the server, such as `https://example.com`; `*` allows any. Default none. */
  readonly cors?: readonly string[]
  /** Key for `/metrics`: a bearer token of at least 16 characters. Default: no key, and only clients on this machine see the metrics. */
  readonly metricsKey?: string
  /** How often a comment is sent on a stream without events, to keep it open, in ms, 100 to 600,000. Default 15,000. */
  readonly heartbeatMs?: number
  /** Called with errors that are not reported to a client. Default: they are ignored. */
  readonly onError?: (error: Error) => void
}

export interface ResolvedAppOptions {
  readonly manager: SessionManager
  readonly keys: ResolvedKeys | undefined
  readonly quotas: Quotas
  readonly tenant: string
  readonly maxBodyBytes: number
  readonly maxUploadBytes: number
  readonly executionTimeoutMs: number | undefined
  readonly maxExecutionTimeoutMs: number
  readonly limits: Partial<Limits>
  readonly maxLimits: Partial<Limits>
  readonly tools: Readonly<Record<string, ServerTool>>
  readonly webhooks: ResolvedWebhooks
  readonly librechat: boolean
  readonly releaseAfterMs: number
  readonly ownerWaitMs: number
  readonly allowTakeOver: boolean
  readonly allowedHosts: readonly string[] | undefined
  readonly cors: readonly string[]
  readonly metricsKey: string | undefined
  readonly heartbeatMs: number
  readonly onError: (error: Error) => void
}

const APP_OPTION_NAMES = [
  ...['manager', 'keys', 'quotas', 'tenant', 'maxBodyBytes', 'maxUploadBytes', 'executionTimeoutMs'],
  ...['maxExecutionTimeoutMs', 'limits', 'maxLimits', 'tools', 'webhooks', 'releaseAfterMs', 'ownerWaitMs'],
  ...['allowTakeOver', 'allowedHosts', 'cors', 'metricsKey', 'heartbeatMs', 'onError'],
  'librechat',
]

const MiB = 2 ** 20
const bytes = numberOption({ min: 1024, max: 2 ** 30, unit: 'bytes', integer: true })
const timeoutMs = numberOption({ min: 1, max: MAX_DELAY_MS, unit: 'milliseconds' })
const delayMs = numberOption({ min: 0, max: MAX_DELAY_MS, unit: 'milliseconds' })
const heartbeatMs = numberOption({ min: 100, max: 600_000, unit: 'milliseconds' })

/** @throws InvalidOptionError */
export function resolveAppOptions(options: AppOptions, others: readonly string[] = []): ResolvedAppOptions {
  isRecord('options', options)
  known('options', options, [...APP_OPTION_NAMES, ...others])
  const { manager, tools = {}, limits = {} } = options
  if (typeof manager?.getOrCreate !== 'function')
    throw new InvalidOptionError('manager', 'a SessionManager', manager)
  isRecord('tools', tools)
  const webhooks = resolveWebhooks(options.webhooks)
  for (const [name, tool] of Object.entries(tools)) {
    known(`tools.${name}`, tool, ['description', 'parameters', 'webhook'])
    if (tool.webhook === undefined) continue
    checkUrl(`tools.${name}.webhook`, tool.webhook)
    if (webhooks.key === undefined)
      throw new InvalidOptionError('webhooks.secret', 'a secret that signs the calls of webhooks', undefined)
  }
  const quotas = resolveQuotas('quotas', options.quotas)
  const maxExecutionTimeoutMs = timeoutMs('maxExecutionTimeoutMs', options.maxExecutionTimeoutMs, 600_000)
  const own = options.executionTimeoutMs
  return {
    ...{ manager, quotas, limits, tools, webhooks, maxExecutionTimeoutMs },
    keys: resolveKeys(options.keys, quotas),
    librechat: isBoolean('librechat', options.librechat) ?? false,
    tenant: isText('tenant', options.tenant, { maxLength: 256 }) ?? 'local',
    maxBodyBytes: bytes('maxBodyBytes', options.maxBodyBytes, 8 * MiB),
    maxUploadBytes: bytes('maxUploadBytes', options.maxUploadBytes, 256 * MiB),
    executionTimeoutMs: own === undefined ? undefined : timeoutMs('executionTimeoutMs', own, 30_000),
    maxLimits: { ...limits, ...(isRecord('maxLimits', options.maxLimits ?? {}) as Partial<Limits>) },

    releaseAfterMs: delayMs('releaseAfterMs', options.releaseAfterMs, 60_000),
    ownerWaitMs: delayMs('ownerWaitMs', options.ownerWaitMs, 2000),
    allowTakeOver: isBoolean('allowTakeOver', options.allowTakeOver) ?? true,
    allowedHosts: isTexts('allowedHosts', options.allowedHosts),
    cors: origins(options.cors),
    metricsKey: isText('metricsKey', options.metricsKey, {
      pattern: /^[\x21-\x7e]{16,}$/,
      expected: 'a key of at least 16 visible ASCII characters',
    }),
    heartbeatMs: heartbeatMs('heartbeatMs', options.heartbeatMs, 15_000),
    onError: isFunction('onError', options.onError) ?? (() => {}),
  }
}

/** Checks that origins have the form in which browsers send them: others would never match. */
function origins(given: readonly string[] | undefined): readonly string[] {
  const list = isTexts('cors', given) ?? []
  const wrong = list.find((one) => !/^(\*|null|[a-z][a-z0-9+.-]*:\/\/[^/?#\sA-Z]+)$/.test(one))
  if (wrong === undefined) return list
  throw new InvalidOptionError('cors', 'origins such as https://example.com, without a path, or *', wrong)
}
