// Who may call, and from where. Owns the checks of API keys, and of the Host and Origin headers, which keep web pages from calling a server
// on this machine (DNS rebinding). Also owns the CORS headers.
import { bearerOf, hashOf, ownerOf } from '../http/bearer.js'
import { InvalidOptionError } from '../shared/errors.js'
import type { ResolvedAppOptions } from './options.js'
import { RequestProblem } from './problems.js'

const LOCAL_NAMES = ['localhost', '127.0.0.1', '[::1]', '::1']

/** Whether only this machine can reach a server that listens on this address. */
export function isLocalAddress(host: string): boolean {
  return LOCAL_NAMES.includes(host) || /^127\.\d+\.\d+\.\d+$/.test(host)
}

/** @throws InvalidOptionError when other machines could reach a server that asks for no keys */
export function requireKeys(host: string, { keys }: ResolvedAppOptions): void {
  if (isLocalAddress(host) || keys !== undefined) return
  const message = `keys: a server on ${host} can be reached from other machines, so clients need keys (\`--keys\` of \`brumate serve\`)`
  throw new InvalidOptionError('keys', 'keys of tenants', undefined, message)
}

export class Access {
  readonly #options: ResolvedAppOptions
  readonly #hosts: ReadonlySet<string> | undefined

  /** @param host what the server listens on; undefined if unknown: then any Host header is accepted unless `allowedHosts` is set */
  constructor(options: ResolvedAppOptions, host: string | undefined) {
    this.#options = options
    const { allowedHosts } = options
    const isLocal = host !== undefined && isLocalAddress(host)
    const names = allowedHosts ?? (isLocal ? [...LOCAL_NAMES, host] : undefined)
    // On other addresses, only the operator knows the valid names; there, keys keep web pages out.
    this.#hosts = names && new Set(names.map((name) => name.toLowerCase()))
  }

  /** @throws RequestProblem for a host name that the server does not serve, and for a web page that may not call it */
  checkOrigin(headers: Headers): void {
    const host = headers.get('host') ?? ''
    if (this.#hosts && !this.#hosts.has(host.replace(/:\d*$/, '').toLowerCase()))
      throw new RequestProblem(
        403,
        'FORBIDDEN',
        'the Host header has a name that this server does not serve; the operator can add it to allowedHosts',
      )
    const origin = headers.get('origin')
    if (origin !== null && !this.#allows(origin) && !isSameOrigin(origin, host))
      throw new RequestProblem(
        403,
        'FORBIDDEN',
        'web pages of this origin may not call this server; the operator can allow them with the option cors',
      )
  }

  /** The CORS headers of an answer: none unless the request's origin is allowed. */
  corsHeaders(headers: Headers): Readonly<Record<string, string>> {
    const origin = headers.get('origin')
    if (origin === null || !this.#allows(origin)) return {}
    const exposed = 'content-range, content-disposition, etag, retry-after, location'
    return { 'access-control-allow-origin': origin, vary: 'origin', 'access-control-expose-headers': exposed }
  }

  preflight(headers: Headers): Response {
    const allowed = {
      'access-control-allow-methods': 'GET, POST, PUT, DELETE, HEAD',
      'access-control-allow-headers':
        'authorization, content-type, accept, idempotency-key, range, if-range, if-none-match',
      'access-control-max-age': '600',
    }
    return new Response(null, { status: 204, headers: { ...this.corsHeaders(headers), ...allowed } })
  }

  /** @throws RequestProblem if the key is missing or wrong */
  tenantOf(headers: Headers): string {
    const { keys, tenant, librechat } = this.#options
    if (keys === undefined) return tenant
    const other = librechat ? headers.get('x-api-key') : null
    const found = keys.tenantOf(other ?? bearerOf(headers.get('authorization')))
    if (found !== undefined) return found
    const detail = 'send a valid key as Authorization: Bearer KEY'
    throw new RequestProblem(401, 'UNAUTHORIZED', detail, { headers: { 'www-authenticate': 'Bearer' } })
  }

  /**
   * Without a metrics key, only clients on this machine see the metrics, and not through a proxy, which may forward anybody's requests.
   *
   * @throws RequestProblem
   */
  checkMetrics(headers: Headers, address: string | undefined): void {
    const { metricsKey } = this.#options
    if (metricsKey === undefined) {
      const isForwarded = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'].some((name) =>
        headers.has(name),
      )
      if (!isForwarded && address !== undefined && isLocalAddress(address.replace(/^::ffff:/, ''))) return
      throw new RequestProblem(
        403,
        'FORBIDDEN',
        'only clients on the same machine see the metrics; the option metricsKey lets others',
      )
    }
    const given = bearerOf(headers.get('authorization'))
    if (ownerOf(given, [['metrics', hashOf(metricsKey)]]) !== undefined) return
    const detail = 'send the key of the metrics as Authorization: Bearer KEY'
    throw new RequestProblem(401, 'UNAUTHORIZED', detail, { headers: { 'www-authenticate': 'Bearer' } })
  }

  #allows(origin: string): boolean {
    return this.#options.cors.includes('*') || this.#options.cors.includes(origin)
  }
}

/** Whether this server, or a proxy in front of it, served the page. */
function isSameOrigin(origin: string, host: string): boolean {
  return URL.canParse(origin) && new URL(origin).host === host
}
