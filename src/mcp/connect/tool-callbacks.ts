// The tools of connected MCP servers as callbacks of sessions. Owns their names in Python, and what a tool's result is there.
import { Buffer } from 'node:buffer'
import type { CallToolResult, ContentBlock, Tool } from '@modelcontextprotocol/client'
import { faultOfName } from '../../callbacks/names.js'
import type { CallbackDefinition } from '../../session.js'
import type { InvalidOptionError } from '../../shared/errors.js'
import { identifier } from './command.js'
import type { ServerConnection } from './server-connection.js'

export type ToolCallbacks = Readonly<Record<string, CallbackDefinition>>

interface ServerTool {
  readonly server: ServerConnection
  readonly tool: Tool
}

const MAX_DESCRIPTION_LENGTH = 10_000
const MAX_NAME_LENGTH = 100

/** @param tools of all servers, in the order in which Python lists them */
export function toolCallbacks(tools: readonly ServerTool[]): ToolCallbacks {
  const names = tools.map(({ tool }) => identifier(tool.name))
  const callbacks: Record<string, CallbackDefinition> = {}
  for (const [i, { server, tool }] of tools.entries()) {
    const plain = names[i] as string
    const isClear = names.indexOf(plain) === names.lastIndexOf(plain) && faultOfName(plain) === undefined
    callbacks[unused(isClear ? plain : `${server.name}_${plain}`, callbacks)] = {
      description: (tool.description ?? tool.title ?? '').slice(0, MAX_DESCRIPTION_LENGTH).toWellFormed(),
      parameters: tool.inputSchema,
      fn: async (args, { signal }) => resultOf(await server.call(tool.name, args, signal)),
    }
  }
  return callbacks
}

/**
 * The callbacks without what sessions refuse of their schemas: a keyword or format that JSON Schema does not have. Where that cannot be
 * taken out, the tool takes any arguments, and its server checks them.
 */
export function withoutFault(callbacks: ToolCallbacks, error: InvalidOptionError): ToolCallbacks | undefined {
  const [root, name = '', ...path] = error.option.split('.')
  const callback = callbacks[name]
  if (root !== 'callbacks' || callback?.parameters === undefined) return undefined
  const { parameters, ...rest } = callback
  const pruned = path[0] === 'parameters' ? without(parameters, path.slice(1)) : undefined
  return { ...callbacks, [name]: pruned === undefined ? rest : { ...rest, parameters: pruned } }
}

/** A copy of the schema that lacks what is at this path; `undefined` if nothing is there. */
function without(schema: unknown, path: readonly string[]): Record<string, unknown> | undefined {
  const copy = structuredClone(schema) as Record<string, unknown>
  const last = path.at(-1)
  if (last === undefined) return undefined
  let parent: unknown = copy
  for (const step of path.slice(0, -1)) {
    const [, key = step, index] = /^(.*?)\[(\d+)\]$/.exec(step) ?? []
    parent = member(parent, key)
    if (index !== undefined) parent = member(parent, index)
  }
  if (member(parent, last) === undefined) return undefined
  delete (parent as Record<string, unknown>)[last]
  return copy
}

function member(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined
}

function unused(name: string, taken: ToolCallbacks): string {
  const short = name.slice(0, MAX_NAME_LENGTH)
  for (let count = 2, unique = short; ; count++) {
    if (!Object.hasOwn(taken, unique)) return unique
    unique = `${short.slice(0, MAX_NAME_LENGTH - 6)}_${count}`
  }
}

/** What the tool returns in Python: the structured content, else the text, else a list of parts. */
function resultOf({ structuredContent, content, isError }: CallToolResult): unknown {
  const isText = content.every(({ type }) => type === 'text')
  const text = content.map((part) => (part.type === 'text' ? part.text : `[${part.type}]`)).join('\n')
  if (isError === true) throw new Error(text === '' ? 'the tool failed' : text)
  if (structuredContent !== undefined) return structuredContent
  return isText ? text : content.map(partOf)
}

/** Its data as bytes. */
function partOf(part: ContentBlock): unknown {
  switch (part.type) {
    case 'image':
    case 'audio':
      return { type: part.type, mimeType: part.mimeType, data: bytesOf(part.data) }
    case 'resource': {
      const { resource } = part
      const { uri, mimeType = null } = resource
      return 'blob' in resource
        ? { type: 'resource', uri, mimeType, data: bytesOf(resource.blob) }
        : { type: 'resource', uri, mimeType, text: resource.text }
    }
    default:
      return part
  }
}

function bytesOf(base64: string): Uint8Array {
  return new Uint8Array(Buffer.from(base64, 'base64'))
}
