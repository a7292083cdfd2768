// Other MCP servers whose tools sessions can call. Owns their connections.
import { type ToolCallbacks, toolCallbacks } from '../../presentation/tool-callbacks.js'
import { InvalidOptionError } from '../../shared/errors.js'
import { messageOf } from '../../shared/thrown.js'
import type { ResolvedMcpOptions } from '../options.js'
import { loadClientSdk } from '../sdk.js'
import { resolveCommand } from './command.js'
import { foreignTool } from './foreign-tool.js'
import { ServerConnection } from './server-connection.js'

export class ConnectedServers {
  readonly callbacks: ToolCallbacks
  readonly #connections: readonly ServerConnection[]

  private constructor(connections: readonly ServerConnection[], callbacks: ToolCallbacks) {
    this.#connections = connections
    this.callbacks = callbacks
  }

  /**
   * Starts all servers, and lists the tools of each.
   *
   * @throws InvalidOptionError, also for a server that does not start, and InstallationError
   */
  static async connect(
    { connect, toolTimeoutMs }: ResolvedMcpOptions,
    version: string,
  ): Promise<ConnectedServers> {
    if (connect.length === 0) return new ConnectedServers([], {})
    const commands = connect.map((given, i) => resolveCommand(`connect[${i}]`, given))
    const sdk = await loadClientSdk()
    const connections = commands.map(
      (command) => new ServerConnection({ command, sdk, version, toolTimeoutMs }),
    )
    const lists = await Promise.allSettled(connections.map((server) => server.listTools()))
    const servers = new ConnectedServers(connections, {})
    for (const [i, list] of lists.entries()) {
      if (list.status === 'fulfilled') continue
      await servers.close()
      const option = `connect[${i}]`
      const message = `${option}: ${messageOf(list.reason, 'it failed')}`
      const error = new InvalidOptionError(option, 'a command that starts an MCP server', connect[i], message)
      error.cause = list.reason
      throw error
    }
    const tools = lists.flatMap((list, i) =>
      list.status === 'fulfilled'
        ? list.value.map((tool) => foreignTool(connections[i] as ServerConnection, tool))
        : [],
    )
    return new ConnectedServers(connections, toolCallbacks(tools))
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#connections.map((connection) => connection.close()))
  }
}
