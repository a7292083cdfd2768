// The sub-path `brumate/mcp`: Python sessions as tools of an MCP server. Owns what it exports.
import type { McpServer } from '@modelcontextprotocol/server'
import { McpHost } from './host.js'
import { type McpOptions, resolveMcpOptions } from './options.js'
import { serverFor } from './server.js'

export type { Tokens } from './access.js'
export type { ServerCommand } from './connect/command.js'
export { type HttpOptions, type HttpServer, serveHttp } from './http.js'
export type { McpOptions } from './options.js'
export { type StdioOptions, type StdioServer, serveStdio } from './stdio.js'

/**
 * An MCP server for one client, to be connected to any transport. Closing it also ends the connected servers; the manager stays open.
 *
 * @throws InstallationError when `@modelcontextprotocol/server` is missing, or its client where `connect` needs it
 * @throws InvalidOptionError, and what `manager.createSession` throws
 */
export async function mcpServer(options: McpOptions): Promise<McpServer> {
  const resolved = resolveMcpOptions(options)
  const host = await McpHost.open(resolved)
  const server = serverFor(host, host.tenant(resolved.tenant))
  server.server.onclose = () => void host.close()
  return server
}
