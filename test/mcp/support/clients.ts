// MCP clients that are closed after their test, and helpers that read results.
import { createMCPClient } from '@ai-sdk/mcp'
import { type CallToolResult, Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { InMemoryTransport } from '@modelcontextprotocol/server'
import { type McpOptions, mcpServer } from 'brumate/mcp'
import { onTestFinished } from 'vitest'

export type Caller = (tool: string, args?: Record<string, unknown>) => Promise<CallToolResult>

export function sdkClient(version: 'modern' | 'legacy' = 'legacy'): Client {
  const mode = version === 'modern' ? 'auto' : 'legacy'
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } })
  onTestFinished(() => client.close())
  return client
}

export function callerOf(client: Client): Caller {
  return (name, args = {}) => client.callTool({ name, arguments: args })
}

/** Connects a client to a server in this process. */
export async function connected(options: McpOptions): Promise<{ client: Client; call: Caller }> {
  const server = await mcpServer(options)
  const [ours, theirs] = InMemoryTransport.createLinkedPair()
  const client = sdkClient()
  await server.connect(theirs)
  await client.connect(ours)
  return { client, call: callerOf(client) }
}

export async function overHttp(url: string, token?: string, version?: 'modern' | 'legacy'): Promise<Client> {
  const client = sdkClient(version)
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }))
  return client
}

/** Connects a client of another implementation. */
export async function otherClient(transport: Parameters<typeof createMCPClient>[0]['transport']) {
  const client = await createMCPClient({ transport })
  onTestFinished(() => client.close())
  const tools = await client.tools()
  const call = async (name: string, args: Record<string, unknown> = {}): Promise<CallToolResult> => {
    const tool = tools[name]
    if (tool === undefined) throw new Error(`no tool ${name}`)
    return (await tool.execute(args, {
      toolCallId: '1',
      messages: [],
      context: undefined,
    } as never)) as CallToolResult
  }
  return { client, tools, call }
}

export function textOf({ content }: CallToolResult): string {
  return content.map((part) => (part.type === 'text' ? part.text : `[${part.type}]`)).join('\n')
}

export function structured(result: CallToolResult): Record<string, unknown> {
  return result.structuredContent as Record<string, unknown>
}
