// The functions that Python in a session can call: the server's and the session's own. Owns whether a webhook or the client answers a call,
// and the limits on what a session may ask for.
import { DEFAULT_LIMITS, type Limits } from '../options/limits.js'
import type { WireTool } from '../presentation/wire.js'
import type { CallbackContext, CallbackDefinition, Session } from '../session.js'
import type { ResolvedAppOptions } from './options.js'
import { RequestProblem } from './problems.js'
import type { SessionConfig } from './session-config.js'
import { checkUrl } from './webhooks/options.js'
import type { WebhookSender } from './webhooks/sender.js'

export interface ToolContext {
  readonly options: ResolvedAppOptions
  readonly sender: WebhookSender
  /** Called when a host call is about to wait for `resume`. */
  readonly onSuspended: (session: Session) => void
}

type Limit = keyof Limits

/** @throws RequestProblem when the server does not allow what the client asks for */
export function checkConfig({ limits = {}, tools = [] }: SessionConfig, options: ResolvedAppOptions): void {
  const { maxLimits, maxExecutionTimeoutMs, webhooks } = options
  for (const [name, value] of Object.entries(limits) as [Limit, number | null][]) {
    const most =
      name === 'executionTimeoutMs' ? maxExecutionTimeoutMs : (maxLimits[name] ?? DEFAULT_LIMITS[name])
    const isBounded = name === 'executionTimeoutMs' || maxLimits[name] !== null
    if (isBounded && most !== null && (value === null || value > most))
      throw new RequestProblem(422, 'VALIDATION', `limits.${name}: the server allows ${most} at most`)
  }
  for (const { name, webhook } of tools) {
    if (webhook === undefined) continue
    checkUrl(`tools.${name}.webhook`, webhook)
    if (!webhooks.allowTenantUrls)
      throw new RequestProblem(
        422,
        'VALIDATION',
        `tools: the server allows no webhook for ${name}; without one, its calls are suspended, and resume answers them`,
      )
  }
}

/** The options with which a session is created or opened. */
export function sessionOptions(tenant: string, config: SessionConfig, context: ToolContext) {
  const { options } = context
  const { executionTimeoutMs } = options
  const callbacks: Record<string, CallbackDefinition> = Object.create(null)
  for (const [name, tool] of Object.entries(options.tools))
    callbacks[name] = callback({ name, ...tool }, tool.webhook ?? options.webhooks.url, undefined, context)
  for (const tool of config.tools ?? []) callbacks[tool.name] = callback(tool, tool.webhook, tenant, context)
  const limits = {
    ...options.limits,
    ...(executionTimeoutMs === undefined ? {} : { executionTimeoutMs }),
    ...config.limits,
  }
  const onInput = (prompt: string, call: CallbackContext): never => suspend(call, context, prompt)
  return {
    ...{ tenant, callbacks: { ...callbacks }, limits },
    ...(config.input === true ? { onInput } : {}),
  }
}

/** @param tenant the tenant that defined the tool; undefined for the operator's tools */
function callback(
  { name, description, parameters }: Omit<WireTool, 'webhook'>,
  url: string | undefined,
  tenant: string | undefined,
  context: ToolContext,
): CallbackDefinition {
  const fn = (args: unknown, call: CallbackContext): unknown =>
    url === undefined
      ? suspend(call, context)
      : context.sender.call({ url, tenant, name, args, session: call.session }, call)
  return {
    fn,
    ...(description === undefined ? {} : { description }),
    ...(parameters === undefined ? {} : { parameters }),
  }
}

function suspend(call: CallbackContext, { onSuspended }: ToolContext, reason?: string): never {
  onSuspended(call.session)
  return call.suspend(reason)
}
