// MCP over stdin and stdout. Owns detecting when such a server has ended.
import type { Readable, Writable } from 'node:stream'
import { deferred } from '../deferred.js'
import { McpHost } from './host.js'
import { type McpOptions, resolveMcpOptions } from './options.js'
import { loadStdio } from './sdk.js'
import { serverFor } from './server.js'

export interface StdioOptions extends McpOptions {
  /** Default: the streams of the process. Nothing else may write to its stdout. */
  readonly stdin?: Readable
  readonly stdout?: Writable
}

export interface StdioServer extends AsyncDisposable {
  /** Resolves when the client has closed stdin, or `close` was called. */
  readonly closed: Promise<void>
  /** Ends the connection and the connected servers. The manager stays open. */
  close(): Promise<void>
}

/**
 * Serves one client over stdin and stdout, in the 2026 or the 2025 version of the protocol.
 *
 * @throws InstallationError when `@modelcontextprotocol/server` is missing, or its client where `connect` needs it
 * @throws InvalidOptionError, and what `manager.createSession` throws
 */
export async function serveStdio(options: StdioOptions): Promise<StdioServer> {
  const resolved = resolveMcpOptions(options, ['stdin', 'stdout'])
  const [sdk, host] = await Promise.all([loadStdio(), McpHost.open(resolved)])
  const { stdin = process.stdin, stdout = process.stdout } = options
  const wire = new sdk.StdioServerTransport(stdin, stdout)
  const ended = deferred<void>()
  // The SDK closes the transport at the end of stdin, or when a message is too large.
  const closeWire = wire.close.bind(wire)
  wire.close = async () => {
    ended.resolve()
    await closeWire()
  }
  const handle = sdk.serveStdio(() => serverFor(host, host.tenant(resolved.tenant)), {
    transport: wire,
    onerror: resolved.onError,
  })
  const closed = ended.promise.then(async () => {
    await handle.close()
    await host.close()
  })
  const close = () => {
    ended.resolve()
    return closed
  }
  return { closed, close, [Symbol.asyncDispose]: close }
}
