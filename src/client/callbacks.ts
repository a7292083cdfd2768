// Callbacks that run in this process for Python on the server. Owns how they are described to the server, and calling them.

import { faultOfName } from '../callbacks/names.js'
import type { JsonSchema, StandardSchema } from '../callbacks/schema.js'
import { isRecord, known } from '../options/check.js'
import type { WireTool } from '../presentation/wire.js'
import type { PythonSession } from '../session/python-session.js'
import { ConversionError, InvalidOptionError } from '../shared/errors.js'
import type { PendingCall } from '../shared/snapshot/manifest.js'
import { encodeInput } from './values.js'

export interface ClientCallbackContext {
  readonly session: PythonSession
  /** Aborts when the result is no longer needed, because the execution ended. */
  readonly signal: AbortSignal
  /** Leaves the call unanswered: `execute` resolves with `status: 'suspended'`. Throws, so code after it does not run. */
  suspend(reason?: string): never
}

// biome-ignore lint/suspicious/noExplicitAny: the arguments are what Python passes
export type ClientCallbackFn = (args: any, context: ClientCallbackContext) => unknown

export interface ClientCallbackDefinition {
  readonly fn: ClientCallbackFn
  readonly description?: string
  /**
   * The server checks arguments against a JSON Schema. A Standard Schema is checked here; if its library can write it as JSON Schema, the
   * server gets that, too.
   */
  readonly parameters?: JsonSchema | StandardSchema
}

/** Callbacks by their name in Python. */
export type ClientCallbacks = Readonly<Record<string, ClientCallbackFn | ClientCallbackDefinition>>

/** Returns the line without its end, `null` or nothing at the end of the input, or a promise of one of these. */
export type ClientInputFn = (prompt: string, context: ClientCallbackContext) => unknown

/** The answer to a call. `undefined`: it has none, because the callback suspended. */
export type Answer =
  | { readonly result: unknown }
  | { readonly error: { readonly type: string; readonly message: string } }
  | undefined

/** The name of calls of Python's `input()`. */
const INPUT = 'input'
const INDEX_TARGET = 'draft-2020-12'

export class Callbacks {
  readonly #callbacks: ReadonlyMap<string, ClientCallbackDefinition>
  readonly #onInput: ClientInputFn | undefined

  /** @throws InvalidOptionError */
  constructor(given: ClientCallbacks = {}, onInput?: ClientInputFn) {
    const callbacks = new Map<string, ClientCallbackDefinition>()
    for (const [name, callback] of Object.entries(isRecord('callbacks', given))) {
      const fault = faultOfName(name)
      if (fault !== undefined) throw new InvalidOptionError('callbacks', fault, name)
      callbacks.set(name, definitionOf(`callbacks.${name}`, callback))
    }
    this.#callbacks = callbacks
    this.#onInput = onInput
  }

  get hasInput(): boolean {
    return this.#onInput !== undefined
  }

  /** The callbacks as the server needs them to create functions in Python. */
  get tools(): WireTool[] {
    return [...this.#callbacks].map(([name, { description, parameters }]) => {
      const schema = parameters === undefined ? undefined : jsonSchemaOf(parameters)
      return {
        name,
        ...(description !== undefined && { description }),
        ...(schema !== undefined && { parameters: schema }),
      }
    })
  }

  /** Whether this client answers a pending call. */
  answers({ name }: PendingCall): boolean {
    return this.#callbacks.has(name) || (name === INPUT && this.#onInput !== undefined)
  }

  /** Never rejects: an error becomes an answer, and is raised in Python. */
  async call(call: PendingCall, session: PythonSession, signal: AbortSignal): Promise<Answer> {
    const context: ClientCallbackContext = {
      ...{ session, signal },
      suspend: () => {
        throw new Suspended()
      },
    }
    try {
      return { result: encodeInput(await this.#run(call, context), `the result of ${call.name}`) }
    } catch (error) {
      if (error instanceof Suspended) return undefined
      return { error: pythonErrorOf(error) }
    }
  }

  async #run({ name, args, reason }: PendingCall, context: ClientCallbackContext): Promise<unknown> {
    const definition = this.#callbacks.get(name)
    if (definition === undefined) return (await this.#onInput?.(promptOf(args, reason), context)) ?? null
    const value = await definition.fn(await checked(definition.parameters, args), context)
    if (typeof value === 'object' && value !== null && Symbol.asyncIterator in value)
      throw new TypeError('a callback over HTTP cannot return an async iterable; return a list')
    return value ?? null
  }
}

/** Thrown by `suspend`. */
class Suspended extends Error {}

function definitionOf(option: string, given: unknown): ClientCallbackDefinition {
  if (typeof given === 'function') return { fn: given as ClientCallbackFn }
  const expected = 'a function or { fn, description, parameters }'
  if (typeof given !== 'object' || given === null) throw new InvalidOptionError(option, expected, given)
  known(option, given, ['fn', 'description', 'parameters'])
  const definition = given as ClientCallbackDefinition
  if (typeof definition.fn !== 'function') throw new InvalidOptionError(option, expected, given)
  return definition
}

function standardOf(schema: JsonSchema | StandardSchema): StandardSchema['~standard'] | undefined {
  return (schema as Partial<StandardSchema>)['~standard']
}

function jsonSchemaOf(schema: JsonSchema | StandardSchema): JsonSchema | undefined {
  const standard = standardOf(schema)
  if (standard === undefined) return schema as JsonSchema
  try {
    return standard.jsonSchema?.input({ target: INDEX_TARGET })
  } catch {
    // The library cannot convert it. Python then has no positional arguments; arguments are still checked here.
    return undefined
  }
}

async function checked(schema: ClientCallbackDefinition['parameters'], args: unknown): Promise<unknown> {
  const standard = schema === undefined ? undefined : standardOf(schema)
  if (standard === undefined) return args
  const result = await standard.validate(args)
  if (result.issues === undefined) return result.value
  const [issue] = result.issues
  const path = (issue?.path ?? []).map((part) => String(Object(part).key ?? part)).join('.')
  throw Object.assign(
    new Error(`${path === '' ? '' : `${path}: `}${issue?.message ?? 'invalid arguments'}`),
    {
      name: 'ValueError',
    },
  )
}

function promptOf(args: PendingCall['args'], reason: string | undefined): string {
  return typeof args.prompt === 'string' ? args.prompt : (reason ?? '')
}

function pythonErrorOf(error: unknown): { type: string; message: string } {
  if (!(error instanceof Error)) return { type: 'HostError', message: String(error) }
  // A ConversionError is a TypeError by contract, whatever its name.
  const type = error instanceof ConversionError ? 'TypeError' : error.name.slice(0, 200)
  return { type, message: error.message.slice(0, 100_000) }
}
