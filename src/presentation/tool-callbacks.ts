// Tools of an agent framework or another server as callbacks of a session. Owns their names in Python, and reducing their schemas to what
// sessions accept.
import { faultOfName } from '../callbacks/names.js'
import type { JsonSchema } from '../callbacks/schema.js'
import { toolStub } from '../callbacks/stubs.js'
import type { CallbackContext, CallbackDefinition } from '../session.js'
import { InvalidOptionError } from '../shared/errors.js'

export type ToolCallbacks = Readonly<Record<string, CallbackDefinition>>

/** A tool, independent of its framework. */
export interface ForeignTool {
  readonly name: string
  readonly description?: string | undefined
  /** JSON Schema of the arguments; undefined allows any arguments. */
  readonly parameters?: Readonly<Record<string, unknown>> | undefined
  /** Put before the name if another tool has the same one, or Python reserves it. Default `tool`. */
  readonly prefix?: string
  /** Runs the tool. Its result becomes a Python value; an error that it throws is raised in Python. */
  call(args: Record<string, unknown>, context: CallbackContext): unknown
}

const MAX_DESCRIPTION_LENGTH = 10_000
const MAX_NAME_LENGTH = 100
/** Limit for the number of faults that are removed from schemas, one by one. */
const MAX_FAULTS = 10_000

/** @param tools in the order in which Python lists them */
export function toolCallbacks(tools: readonly ForeignTool[]): ToolCallbacks {
  const names = tools.map(({ name }) => identifier(name))
  const callbacks: Record<string, CallbackDefinition> = {}
  for (const [i, tool] of tools.entries()) {
    const plain = names[i] as string
    const isClear = names.indexOf(plain) === names.lastIndexOf(plain) && faultOfName(plain) === undefined
    const name = isClear ? plain : `${tool.prefix ?? 'tool'}_${plain}`
    callbacks[unused(name, callbacks)] = {
      description: (tool.description ?? '').slice(0, MAX_DESCRIPTION_LENGTH).toWellFormed(),
      ...(tool.parameters === undefined ? {} : { parameters: tool.parameters }),
      fn: (args, context) => tool.call(args, context),
    }
  }
  return callbacks
}

/**
 * Passes the callbacks to `use`, which gives them to a session. If the session rejects part of a schema, such as a keyword or a format that
 * JSON Schema does not define, removes that part and tries again. If a part cannot be removed, the tool accepts any arguments, and has to
 * validate them itself.
 *
 * @throws what `use` throws
 */
export async function withAcceptedSchemas<T>(
  given: ToolCallbacks,
  use: (callbacks: ToolCallbacks) => Promise<T>,
): Promise<T> {
  let callbacks = given
  for (let faults = 0; ; faults++) {
    try {
      return await use(callbacks)
    } catch (error) {
      const pruned =
        error instanceof InvalidOptionError && faults < MAX_FAULTS
          ? withoutFault(callbacks, error)
          : undefined
      if (pruned === undefined) throw error
      callbacks = pruned
    }
  }
}

/** Python signatures for a prompt. They include the parts of a schema that sessions do not accept. */
export function stubsOf(callbacks: ToolCallbacks): string {
  return Object.entries(callbacks)
    .map(([name, { description = '', parameters }]) =>
      // The parameters of a ForeignTool are always a JSON Schema.
      toolStub(name, description, parameters as JsonSchema | undefined),
    )
    .join('\n\n')
}

/** Turns a text into part of a Python name. */
export function identifier(text: string): string {
  const name = text.replaceAll(/[^A-Za-z0-9_]/g, '_').slice(0, 64)
  return /^[A-Za-z]/.test(name) ? name : `t_${name}`
}

function withoutFault(callbacks: ToolCallbacks, error: InvalidOptionError): ToolCallbacks | undefined {
  const [root, name = '', ...path] = error.option.split('.')
  const callback = callbacks[name]
  if (root !== 'callbacks' || callback?.parameters === undefined) return undefined
  const { parameters, ...rest } = callback
  const pruned = path[0] === 'parameters' ? without(parameters, path.slice(1)) : undefined
  return { ...callbacks, [name]: pruned === undefined ? rest : { ...rest, parameters: pruned } }
}

/** A copy of the schema without the part at this path; `undefined` if there is none. */
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
