// The tools of connected MCP servers as callbacks of sessions. Owns how a tool's result becomes a Python value.

import type { CallToolResult, ContentBlock, Tool } from '@modelcontextprotocol/client'
import type { ForeignTool } from '../../presentation/tool-callbacks.js'
import { fromBase64 } from '../../shared/base64.js'
import type { ServerConnection } from './server-connection.js'

export function foreignTool(server: ServerConnection, tool: Tool): ForeignTool {
  return {
    name: tool.name,
    prefix: server.name,
    description: tool.description ?? tool.title,
    parameters: tool.inputSchema,
    call: async (args, { signal }) => resultOf(await server.call(tool.name, args, signal)),
  }
}

/** The tool's result in Python: the structured content if any, else the text if there is nothing else, else a list of parts. */
function resultOf({ structuredContent, content, isError }: CallToolResult): unknown {
  const isText = content.every(({ type }) => type === 'text')
  const text = content.map((part) => (part.type === 'text' ? part.text : `[${part.type}]`)).join('\n')
  if (isError === true) throw new Error(text === '' ? 'the tool failed' : text)
  if (structuredContent !== undefined) return structuredContent
  return isText ? text : content.map(partOf)
}

/** A part whose data is bytes instead of base64. */
function partOf(part: ContentBlock): unknown {
  switch (part.type) {
    case 'image':
    case 'audio':
      return { type: part.type, mimeType: part.mimeType, data: fromBase64(part.data) }
    case 'resource': {
      const { resource } = part
      const { uri, mimeType = null } = resource
      return 'blob' in resource
        ? { type: 'resource', uri, mimeType, data: fromBase64(resource.blob) }
        : { type: 'resource', uri, mimeType, text: resource.text }
    }
    default:
      return part
  }
}
