// The type of a tool of the MCP server. Owns that type.
import type { CallToolResult, ServerContext, ToolAnnotations } from '@modelcontextprotocol/server'

/** The arguments of all tools. A tool's schema validates them, and says which ones it has. */
export interface Arguments {
  readonly code?: string
  readonly content?: string
  readonly delete?: boolean
  readonly encoding?: 'utf8' | 'base64'
  readonly name?: string
  readonly offset?: number
  readonly path?: string
  readonly session?: string
  readonly snapshot?: string
  readonly timeout?: number
}

export interface Tool {
  readonly title: string
  readonly description: string
  /** JSON Schema of the arguments' properties. */
  readonly arguments: Record<string, unknown>
  readonly result?: Record<string, unknown>
  readonly annotations: ToolAnnotations
  /** An error that it throws becomes a result with `isError`. */
  call(args: Arguments, context: ServerContext): Promise<CallToolResult>
}
