// Who may use the HTTP server. Owns tokens, and the checks of the Host and Origin headers, which keep web pages from calling a server on
// this machine (DNS rebinding).
import { bearerOf, hashOf, isSecret, MIN_SECRET_LENGTH, ownerOf } from '../http/bearer.js'
import { InvalidOptionError } from '../shared/errors.js'
import type { Sdk } from './sdk.js'

/** Tokens by tenant. */
export type Tokens = Readonly<Record<string, string>>

export interface AccessOptions {
  readonly host: string
  readonly tokens: Tokens | undefined
  readonly allowedHosts: readonly string[] | undefined
  readonly allowedOrigins: readonly string[]
  /** The tenant of every client if there are no tokens. */
  readonly tenant: string
}

const TOKEN = `a token of at least ${MIN_SECRET_LENGTH} visible ASCII characters`

export class Access {
  readonly #sdk: Sdk
  readonly #options: AccessOptions
  readonly #hashes: readonly (readonly [tenant: string, hash: Buffer])[]
  readonly #hosts: string[] | undefined
  readonly #origins: string[]

  /** @throws InvalidOptionError */
  constructor(sdk: Sdk, options: AccessOptions) {
    const { host, tokens, allowedHosts, allowedOrigins } = options
    const local = sdk.localhostAllowedHostnames()
    const isLocal = local.includes(inBrackets(host)) || /^127\./.test(host)
    if (!isLocal && tokens === undefined) {
      const message = `tokens: a server on ${host} can be reached from other machines, so clients need tokens (\`--token-file\` of \`brumate mcp\`)`
      throw new InvalidOptionError('tokens', 'tokens by tenant', tokens, message)
    }
    this.#sdk = sdk
    this.#options = options
    this.#hashes = Object.entries(tokens ?? {}).map(([tenant, token]) => {
      if (!isSecret(token as unknown))
        throw new InvalidOptionError(
          `tokens.${tenant}`,
          TOKEN,
          undefined,
          `tokens.${tenant}: expected ${TOKEN}${typeof token === 'string' ? `, got ${token.length} characters` : ''}`,
        )
      return [tenant, hashOf(token)] as const
    })
    if (tokens !== undefined && this.#hashes.length === 0)
      throw new InvalidOptionError('tokens', 'at least one token', tokens)
    // On other addresses, only the operator knows the valid names; there, tokens keep web pages out.
    this.#hosts = allowedHosts ? [...allowedHosts] : isLocal ? [...local, inBrackets(host)] : undefined
    this.#origins = [...sdk.localhostAllowedOrigins(), ...allowedOrigins]
  }

  /** Returns the tenant, or the response that rejects the request. */
  check(request: Request): string | Response {
    const refused =
      (this.#hosts && this.#sdk.hostHeaderValidationResponse(request, this.#hosts)) ??
      this.#sdk.originValidationResponse(request, this.#origins)
    if (refused) return refused
    if (this.#options.tokens === undefined) return this.#options.tenant
    const tenant = ownerOf(bearerOf(request.headers.get('authorization')), this.#hashes)
    if (tenant !== undefined) return tenant
    const headers = { 'www-authenticate': 'Bearer' }
    return Response.json({ error: 'a valid bearer token is needed' }, { status: 401, headers })
  }
}

function inBrackets(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host
}
