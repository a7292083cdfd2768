// Options of `sessionObject` and their validation. Owns the types with which users write callbacks.
import type { ObjectOptions, ObjectSharedContext } from '@restatedev/restate-sdk'
import type { GetOrCreateOptions, JsonSchema, SessionManager, StandardSchema } from '../index.js'
import { isFunction, isRecord, known, numberOption } from '../options/check.js'
import { InstallationError, InvalidOptionError } from '../shared/errors.js'

/** The host call that a callback has to answer. */
export interface HostCall {
  readonly name: string
  readonly sessionId: string
  /** Unique, and the same whenever Restate retries: pass it to services with side effects, so that they perform each effect once. */
  readonly idempotencyKey: string
}

/**
 * Answers a host call. It runs as its own Restate invocation, so it may take days, and everything that `ctx` does is durable: put side
 * effects into `ctx.run`. A `TerminalError` is raised in Python as `brumate.HostError`; after other errors, Restate retries.
 *
 * @returns the result of the call in Python
 */
// biome-ignore lint/suspicious/noExplicitAny: the arguments are what Python passes
export type SessionCallback = (ctx: ObjectSharedContext, args: any, call: HostCall) => Promise<unknown>

export interface SessionCallbackDefinition {
  /** Without it, the call waits until a client answers it with the handler `resume`. */
  readonly fn?: SessionCallback
  /** The function's docstring in Python. */
  readonly description?: string
  /** Schema to validate arguments against. The order of its properties is the order of positional arguments. */
  readonly parameters?: JsonSchema | StandardSchema
}

export interface SessionObjectOptions<Name extends string> {
  /** Runs the sessions. Needs `durability: 'checkpoint'` and a `store` that all service processes share. */
  readonly manager: SessionManager
  /** The virtual object's name. Default `session`. */
  readonly name?: Name
  /** Callbacks by their name in Python. They must be the same in all service processes. */
  readonly callbacks?: Readonly<Record<string, SessionCallback | SessionCallbackDefinition>>
  /** Options of each session, such as its tenant and limits. Called each time a session may have to be opened. */
  readonly session?: (id: string) => Omit<GetOrCreateOptions, 'callbacks' | 'takeOver' | 'from'>
  /** Approximate limit for results, in bytes of JSON. Larger ones are returned without values, displays and files. Default 1 MiB. */
  readonly maxResultBytes?: number
  /** Options of the virtual object, such as retention and retries. */
  readonly restate?: ObjectOptions
}

export interface ResolvedCallback {
  readonly fn: SessionCallback | undefined
  readonly description: string | undefined
  readonly parameters: JsonSchema | StandardSchema | undefined
}

export interface ResolvedObjectOptions {
  readonly manager: SessionManager
  readonly name: string
  readonly callbacks: ReadonlyMap<string, ResolvedCallback>
  readonly session: (id: string) => GetOrCreateOptions
  readonly maxResultBytes: number
  readonly restate: ObjectOptions
}

const DEFAULT_RESULT_BYTES = 1024 * 1024
/** Restate's messages are limited to 32 MiB by default. */
const MOST_RESULT_BYTES = 8 * 1024 * 1024
/** A killed process is soon replaced, and another attempt is cheap. */
const RETRIES = { initialInterval: 100, exponentiationFactor: 2, maxInterval: 10_000 }

const resultBytes = numberOption({ min: 65_536, max: MOST_RESULT_BYTES, unit: 'bytes', integer: true })

/** @throws InvalidOptionError, InstallationError */
export function resolveObjectOptions(options: SessionObjectOptions<string>): ResolvedObjectOptions {
  if (!('withResolvers' in Promise)) {
    const remedy = 'use Node 22 or newer, or define Promise.withResolvers before the SDK runs'
    throw new InstallationError(`@restatedev/restate-sdk needs Promise.withResolvers: ${remedy}`)
  }
  known('options', options, ['manager', 'name', 'callbacks', 'session', 'maxResultBytes', 'restate'])
  const { manager, name = 'session', callbacks = {}, restate = {} } = options
  if (typeof manager?.getOrCreate !== 'function')
    throw new InvalidOptionError('manager', 'a SessionManager', manager)
  if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(name))
    throw new InvalidOptionError('name', 'letters, digits and "_", a letter first', name)
  const session = isFunction('session', options.session) ?? (() => ({}))
  return {
    manager,
    name,
    callbacks: new Map(
      Object.entries(isRecord('callbacks', callbacks)).map(([key, given]) => [key, resolve(key, given)]),
    ),
    session,
    maxResultBytes: resultBytes('maxResultBytes', options.maxResultBytes, DEFAULT_RESULT_BYTES),
    restate: { retryPolicy: RETRIES, ...restate },
  }
}

function resolve(name: string, given: unknown): ResolvedCallback {
  const path = `callbacks.${name}`
  // The name becomes part of a handler's name. The manager rejects other invalid names.
  if (!/^[A-Za-z0-9_]+$/.test(name))
    throw new InvalidOptionError(path, 'a name of letters, digits and "_"', name)
  if (typeof given === 'function')
    return { fn: given as SessionCallback, description: undefined, parameters: undefined }
  const { fn, description, parameters } = isRecord(path, given) as SessionCallbackDefinition
  return { fn: isFunction(`${path}.fn`, fn), description, parameters }
}
