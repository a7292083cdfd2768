// The types that handlers work with: the app, a request's context, and the parts of the server.
import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import type { Executions } from './executions.js'
import type { HeldBody } from './held-bodies.js'
import type { ResolvedAppOptions } from './options.js'
import type { Account } from './quotas.js'
import type { Requests } from './requests.js'
import type { Sessions } from './sessions.js'
import type { StoredBytes } from './stored-bytes.js'
import type { WebhookSender } from './webhooks/sender.js'

/** What the checks have found out about the client. */
export interface Caller {
  readonly tenant: string
  readonly account: Account
}

export interface Environment {
  Variables: { caller: Caller; held: HeldBody }
}

export type App = OpenAPIHono<Environment>
export type ServerContext = Context<Environment>

/** The parts of the server that handlers use. */
export interface Services {
  readonly options: ResolvedAppOptions
  readonly sessions: Sessions
  readonly storedBytes: StoredBytes
  readonly executions: Executions
  readonly requests: Requests
  readonly sender: WebhookSender
}
