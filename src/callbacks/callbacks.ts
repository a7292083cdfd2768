// The callbacks of a session: host functions that Python awaits. Owns the checks of the caller's option and its resolved form;
// dispatcher.ts makes the calls.

import { known } from '../options/check.js'
import { InvalidOptionError } from '../shared/errors.js'
import { encodePlain } from '../shared/values/encode.js'
import { faultOfName } from './names.js'
import {
  anyArguments,
  type JsonSchema,
  type ParameterCheck,
  resolveParameters,
  type StandardSchema,
} from './schema.js'

/** A callback's second argument. `S` is the session type of whoever calls `resolveCallbacks`. */
export interface CallContext<S> {
  readonly session: S
  readonly signal: AbortSignal
  suspend(reason?: string): never
}

/** A callback of any session. session.ts has the public types. */
// biome-ignore lint/suspicious/noExplicitAny: the callback's own schema decides what the arguments are
type AnyCallbackFn = (args: any, context: CallContext<never>) => unknown

interface AnyCallbackDefinition {
  readonly fn: AnyCallbackFn
  readonly description?: string
  readonly parameters?: JsonSchema | StandardSchema
}

type AnyCallbacks = Readonly<Record<string, AnyCallbackFn | AnyCallbackDefinition>>

export interface ResolvedCallback {
  readonly name: string
  readonly fn: AnyCallbackFn
  readonly description: string
  readonly parameters: ParameterCheck
}

export type ResolvedCallbacks = ReadonlyMap<string, ResolvedCallback>

const MAX_CALLBACKS = 1000
/** Shared by all sessions, because there may be thousands. */
const NO_CALLBACKS: ResolvedCallbacks = new Map()
const MAX_DESCRIPTION_LENGTH = 100_000

/** @throws InvalidOptionError */
export function resolveCallbacks(option: string, given: AnyCallbacks | undefined): ResolvedCallbacks {
  if (given === undefined) return NO_CALLBACKS
  const resolved = new Map<string, ResolvedCallback>()
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw new InvalidOptionError(option, 'an object of functions', given)
  const entries = Object.entries(given)
  if (entries.length > MAX_CALLBACKS)
    throw new InvalidOptionError(option, `at most ${MAX_CALLBACKS} callbacks`, entries.length)
  for (const [name, callback] of entries) {
    const fault = faultOfName(name)
    if (fault !== undefined) throw new InvalidOptionError(option, fault, name)
    resolved.set(name, resolveCallback(`${option}.${name}`, name, callback))
  }
  return resolved
}

function resolveCallback(
  option: string,
  name: string,
  given: AnyCallbackFn | AnyCallbackDefinition,
): ResolvedCallback {
  if (typeof given === 'function') return { name, fn: given, description: '', parameters: anyArguments() }
  if (typeof given !== 'object' || given === null || typeof given.fn !== 'function')
    throw new InvalidOptionError(option, 'a function or { fn, description, parameters }', given)
  known(option, given, ['fn', 'description', 'parameters'])
  const { fn, description = '', parameters } = given
  if (typeof description !== 'string' || description.length > MAX_DESCRIPTION_LENGTH)
    throw new InvalidOptionError(
      `${option}.description`,
      `text of at most ${MAX_DESCRIPTION_LENGTH} characters`,
      description,
    )
  return {
    name,
    fn,
    description,
    parameters:
      parameters === undefined ? anyArguments() : resolveParameters(`${option}.parameters`, name, parameters),
  }
}

/** Describes callbacks for the kernel, as plain data. */
export function describeCallbacks(callbacks: ResolvedCallbacks): unknown[] {
  return [...callbacks.values()].map(({ name, description, parameters }) => ({
    name,
    description,
    parameters: parameters.schema ?? null,
  }))
}

/** Encodes the kernel's description of callbacks as marshal bytes. */
export function encodeCallbacks(callbacks: ResolvedCallbacks): Uint8Array<ArrayBuffer> {
  return encodePlain(describeCallbacks(callbacks), 'callbacks')
}

/** The formats of tools in the APIs of model vendors. */
export type ToolFormat = 'openai' | 'anthropic'

/** Describes callbacks as tools for a model. */
export function toolSchemas(callbacks: ResolvedCallbacks, format: ToolFormat): unknown[] {
  if (format !== 'openai' && format !== 'anthropic')
    throw new InvalidOptionError('format', "'openai' or 'anthropic'", format)
  const nothing = { type: 'object', properties: {} }
  return [...callbacks.values()].map(({ name, description, parameters }) => {
    const schema = structuredClone(parameters.schema ?? nothing)
    return format === 'openai'
      ? { type: 'function', function: { name, description, parameters: schema } }
      : { name, description, input_schema: schema }
  })
}
