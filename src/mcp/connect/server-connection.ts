// The connection to one other MCP server. Owns its process, and reconnecting after the connection is lost.
import type { CallToolResult, Client, Tool } from '@modelcontextprotocol/client'
import { messageOf } from '../../shared/thrown.js'
import type { ClientSdk } from '../sdk.js'
import type { ResolvedCommand } from './command.js'

type Connection =
  | { readonly kind: 'none' }
  | { readonly kind: 'connecting'; readonly client: Promise<Client> }
  | { readonly kind: 'open'; readonly client: Client }
  | { readonly kind: 'closed' }

export interface ConnectionOptions {
  readonly command: ResolvedCommand
  readonly sdk: ClientSdk
  readonly version: string
  readonly toolTimeoutMs: number
}

export class ServerConnection {
  readonly #options: ConnectionOptions
  #connection: Connection = { kind: 'none' }

  constructor(options: ConnectionOptions) {
    this.#options = options
  }

  get name(): string {
    return this.#options.command.name
  }

  async listTools(): Promise<readonly Tool[]> {
    const client = await this.#open()
    if (client.getServerCapabilities()?.tools === undefined) return []
    return (await client.listTools()).tools
  }

  /** Reconnects first if the connection was lost. In Python, losing it raises ConnectionError. */
  async call(tool: string, args: Record<string, unknown>, signal: AbortSignal): Promise<CallToolResult> {
    const client = await this.#open()
    try {
      const { toolTimeoutMs } = this.#options
      const options = { signal, timeout: toolTimeoutMs, resetTimeoutOnProgress: true }
      return await client.callTool({ name: tool, arguments: args }, options)
    } catch (cause) {
      if (this.#connection.kind === 'open' && this.#connection.client === client) throw cause
      const message = `the connection to the MCP server ${this.name} was lost during the call, which may have taken effect; the next call connects again`
      throw connectionError(message, cause)
    }
  }

  async close(): Promise<void> {
    const connection = this.#connection
    this.#connection = { kind: 'closed' }
    if (connection.kind === 'open') await connection.client.close()
    if (connection.kind === 'connecting') await (await connection.client.catch(() => undefined))?.close()
  }

  async #open(): Promise<Client> {
    const connection = this.#connection
    if (connection.kind === 'open' || connection.kind === 'connecting') return connection.client
    if (connection.kind === 'closed') throw connectionError('the MCP server is being closed')
    const client = this.#connect()
    this.#connection = { kind: 'connecting', client }
    try {
      const opened = await client
      // If `close` was called meanwhile, it closes this client.
      if (this.#connection.kind === 'connecting') this.#connection = { kind: 'open', client: opened }
      return opened
    } catch (cause) {
      if (this.#connection.kind === 'connecting') this.#connection = { kind: 'none' }
      const { command, args } = this.#options.command
      const line = [command, ...args].join(' ')
      const message = `the MCP server ${this.name} (${line}) cannot be started: ${messageOf(cause, 'it failed')}`
      throw connectionError(message, cause)
    }
  }

  async #connect(): Promise<Client> {
    const { command, sdk, version } = this.#options
    const { cwd, env = process.env } = command
    const client = new sdk.Client({ name: 'brumate', version })
    client.onclose = () => {
      if (this.#connection.kind === 'open' && this.#connection.client === client)
        this.#connection = { kind: 'none' }
    }
    const transport = new sdk.StdioClientTransport({
      command: command.command,
      args: [...command.args],
      env: Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => !!entry[1])),
      ...(cwd === undefined ? {} : { cwd }),
    })
    await client.connect(transport)
    return client
  }
}

/** Named after the Python class that it becomes. */
function connectionError(message: string, cause?: unknown): Error {
  const error = new Error(message, { cause })
  error.name = 'ConnectionError'
  return error
}
