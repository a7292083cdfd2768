// Options of webhooks, and their resolved form. Owns defaults, bounds and the format of a secret.
import { Buffer } from 'node:buffer'
import { isBoolean, isRecord, isText, known, numberOption } from '../../options/check.js'
import { Concealed } from '../../shared/describe-value.js'
import { InvalidOptionError } from '../../shared/errors.js'

export interface WebhookOptions {
  /** `whsec_` and 24 to 64 bytes as base64, as in Standard Webhooks. It signs every call, and the tenants' secrets are derived from it. */
  readonly secret: string
  /** URL for calls of the server's tools that have no `webhook` of their own. */
  readonly url?: string
  /** Whether sessions may have tools with a `webhook` of their own. Such calls are signed with their tenant's secret. Default false. */
  readonly allowTenantUrls?: boolean
  /** Whether webhooks may be at addresses of this machine or a private network. Default false. */
  readonly allowPrivateAddresses?: boolean
  /** How long one attempt may take, in ms. Default 5,000. `limits.callbackTimeoutMs` limits the call as a whole. */
  readonly timeoutMs?: number
  /** How often a call is tried, 1 to 10; all attempts have the same id. Default 3. */
  readonly attempts?: number
  /** Longest answer, in bytes. Default 1 MiB. */
  readonly maxAnswerBytes?: number
}

export interface ResolvedWebhooks {
  /** Undefined if no webhooks are configured. */
  readonly key: Buffer | undefined
  readonly url: string | undefined
  readonly allowTenantUrls: boolean
  readonly allowPrivateAddresses: boolean
  readonly timeoutMs: number
  readonly attempts: number
  readonly maxAnswerBytes: number
}

const SECRET_BYTES = [24, 64] as const
const timeoutMs = numberOption({ min: 1, max: 600_000, unit: 'milliseconds' })
const attempts = numberOption({ min: 1, max: 10, integer: true })
const bytes = numberOption({ min: 1024, max: 2 ** 28, unit: 'bytes', integer: true })

/** @throws InvalidOptionError */
export function resolveWebhooks(given: WebhookOptions | undefined): ResolvedWebhooks {
  const name = 'webhooks'
  const options: Partial<WebhookOptions> = given ?? {}
  isRecord(name, options)
  known(name, options, [
    ...['secret', 'url', 'allowTenantUrls', 'allowPrivateAddresses', 'timeoutMs', 'attempts'],
    'maxAnswerBytes',
  ])
  const url = isText(`${name}.url`, options.url, { maxLength: 2000 })
  return {
    key: given === undefined ? undefined : keyOf(`${name}.secret`, options.secret),
    url: url === undefined ? undefined : checkUrl(`${name}.url`, url),
    allowTenantUrls: isBoolean(`${name}.allowTenantUrls`, options.allowTenantUrls) ?? false,
    allowPrivateAddresses: isBoolean(`${name}.allowPrivateAddresses`, options.allowPrivateAddresses) ?? false,
    timeoutMs: timeoutMs(`${name}.timeoutMs`, options.timeoutMs, 5000),
    attempts: attempts(`${name}.attempts`, options.attempts, 3),
    maxAnswerBytes: bytes(`${name}.maxAnswerBytes`, options.maxAnswerBytes, 2 ** 20),
  }
}

/** @throws InvalidOptionError */
export function checkUrl(name: string, given: string): string {
  const url = URL.canParse(given) ? new URL(given) : undefined
  if (url !== undefined && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '')
    return url.href
  throw new InvalidOptionError(name, 'an http or https URL without credentials', given)
}

function keyOf(name: string, secret: unknown): Buffer {
  const encoded = typeof secret === 'string' ? /^whsec_([A-Za-z0-9+/]+=*)$/.exec(secret)?.[1] : undefined
  const key = Buffer.from(encoded ?? '', 'base64')
  const [min, max] = SECRET_BYTES
  if (key.length >= min && key.length <= max) return key
  throw new InvalidOptionError(name, `whsec_ and ${min} to ${max} bytes as base64`, new Concealed(secret))
}
