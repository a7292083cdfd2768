// What a tool of the MCP server is. Owns the type.
import type { CallToolResult, ServerContext, ToolAnnotations } from '@modelcontextprotocol/server'

/** Of any tool. Its schema has checked them, and says which are there. */
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
  /** JSON Schemas. */
  readonly arguments: Record<string, unknown>
  readonly result?: Record<string, unknown>
  readonly annotations: ToolAnnotations
  /** What it throws becomes a result with `isError`. */
  call(args: Arguments, context: ServerContext): Promise<CallToolResult>
}
