// Calls webhooks as Standard Webhooks specifies (https://www.standardwebhooks.com). Owns signing, retries, and the interpretation of
// answers.
import type { Buffer } from 'node:buffer'
import { createHmac, randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { CallbackContext } from '../../session.js'
import { fromJson, toJson } from '../../shared/values/json.js'
import { nameOf } from '../session-ids.js'
import type { ResolvedWebhooks } from './options.js'
import { type Answer, type PostOutcome, post } from './post.js'

export interface WebhookCall {
  readonly url: string
  /** The tenant whose secret signs the call. Undefined: the operator's secret does. */
  readonly tenant: string | undefined
  readonly name: string
  readonly args: unknown
  readonly session: { readonly id: string; readonly tenant: string }
}

const FIRST_PAUSE_MS = 200

export class WebhookSender {
  readonly #options: ResolvedWebhooks

  constructor(options: ResolvedWebhooks) {
    this.#options = options
  }

  /** The secret that signs the calls of a tenant's own webhooks. Undefined: tenants cannot have webhooks. */
  secretOf(tenant: string): string | undefined {
    const { key, allowTenantUrls } = this.#options
    return key === undefined || !allowTenantUrls
      ? undefined
      : `whsec_${tenantKey(key, tenant).toString('base64')}`
  }

  /**
   * Resolves to the value that Python gets. If the answer is an error, throws it under the name of its Python class.
   *
   * @throws Error when the webhook cannot be reached, or its answer is invalid
   */
  async call({ url, tenant, name, args, session }: WebhookCall, context: CallbackContext): Promise<unknown> {
    const { key, attempts } = this.#options
    if (key === undefined) throw new Error('unreachable: a webhook without a secret')
    const id = `msg_${randomUUID()}`
    const body = JSON.stringify({
      ...{ type: 'tool.call', timestamp: new Date().toISOString() },
      data: { tenant: session.tenant, session: nameOf(session.tenant, session.id), name, args: toJson(args) },
    })
    const signer = tenant === undefined ? key : tenantKey(key, tenant)
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.#attempt(url, id, body, signer, context.signal)
      if (outcome.kind === 'answer') return read(outcome, name, context)
      if (outcome.isFinal || attempt >= attempts) throw new Error(`${name}: ${outcome.reason}`)
      await delay(FIRST_PAUSE_MS * 2 ** (attempt - 1), undefined, { signal: context.signal })
    }
  }

  async #attempt(
    url: string,
    id: string,
    body: string,
    key: Buffer,
    signal: AbortSignal,
  ): Promise<PostOutcome> {
    const { timeoutMs, maxAnswerBytes, allowPrivateAddresses } = this.#options
    const timestamp = String(Math.floor(Date.now() / 1000))
    const headers = {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': signature(key, id, timestamp, body),
    }
    const limit = { timeoutMs, maxAnswerBytes, allowPrivateAddresses, signal }
    const answer = await post(url, headers, body, limit)
    if (answer.kind === 'failed' || (answer.status >= 200 && answer.status < 300)) return answer
    // 408, 429 and 5xx are temporary, so they are worth retrying.
    const isFinal = answer.status < 500 && answer.status !== 429 && answer.status !== 408
    return { kind: 'failed', reason: `the webhook answered ${answer.status}`, isFinal }
  }
}

/** `v1,` and the HMAC-SHA256, as base64, of id, timestamp and body, joined by full stops. */
export function signature(key: Uint8Array, id: string, timestamp: string, body: string): string {
  return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`
}

/** Each tenant has its own key, so that none can sign as another tenant or as the operator. */
function tenantKey(key: Buffer, tenant: string): Buffer {
  return createHmac('sha256', key).update(`tenant:${tenant}`).digest()
}

/** Reads an answer: `{ value }`, `{ error: { type, message } }`, or `{ suspend: true, reason }`. */
function read({ text }: Answer, name: string, context: CallbackContext): unknown {
  let answer: unknown
  try {
    answer = text === '' ? {} : JSON.parse(text)
  } catch (cause) {
    throw new Error(`${name}: the webhook did not answer with JSON`, { cause })
  }
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer))
    throw new Error(`${name}: the webhook answered with JSON that is not an object`)
  const { value, error, suspend, reason } = answer as Record<string, unknown>
  if (suspend === true) return context.suspend(typeof reason === 'string' ? reason : undefined)
  if (typeof error === 'object' && error !== null) {
    const { type, message } = error as Record<string, unknown>
    throw namedError(typeof type === 'string' ? type : '', typeof message === 'string' ? message : '')
  }
  return value === undefined ? null : fromJson(value)
}

/** Python raises its class of that name; if there is none, HostError. */
export function namedError(type: string, message: string): Error {
  const error = new Error(message)
  error.name = type === '' ? 'Error' : type
  return error
}
