// An error of the server that a local session cannot have: no such session, a wrong key, a quota. Owns the error's fields.
import { BrumateError } from '../shared/errors.js'

export interface ServerErrorFields {
  readonly code: string
  readonly status?: number | undefined
  readonly retryAfterMs?: number | undefined
  readonly details?: Readonly<Record<string, unknown>>
}

/**
 * The server refused a request, or could not be reached.
 *
 * `code` is that of the server's problem document, such as `NOT_FOUND`, `SESSION_EXISTS`, `UNAUTHORIZED`, `QUOTA`, `VALIDATION` or
 * `DRAINING`; docs/server.md lists them. `UNREACHABLE`: the request got no answer, and `cause` has the reason; it is unknown whether the
 * request had an effect. `BAD_RESPONSE`: the answer did not come from a brumate server.
 */
export class ServerError extends BrumateError {
  readonly code: string
  /** Status of the HTTP response; undefined if there was none. */
  readonly status: number | undefined
  /** How long to wait before retrying, if the server says so. */
  readonly retryAfterMs: number | undefined
  /** The other fields of the problem document, such as `quota` and `max`. */
  readonly details: Readonly<Record<string, unknown>>

  constructor(message: string, fields: ServerErrorFields, options?: ErrorOptions) {
    super(message, options)
    this.code = fields.code
    this.status = fields.status
    this.retryAfterMs = fields.retryAfterMs
    this.details = fields.details ?? {}
  }
}
