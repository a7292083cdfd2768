// The sub-path `brumate/restate`: sessions as virtual objects of Restate. Owns the handlers; execution.ts runs executions, sessions.ts has
// the sessions in this process.
import {
  handlers,
  type ObjectContext,
  type ObjectSharedContext,
  object,
  TerminalError,
  type VirtualObjectDefinition,
} from '@restatedev/restate-sdk'
import { fromJson, toJson } from '../shared/values/json.js'
import { type ExecuteRequest, Execution, handlerOf, PENDING, type PendingAnswer } from './execution.js'
import {
  type HostCall,
  type ResolvedCallback,
  resolveObjectOptions,
  type SessionObjectOptions,
} from './options.js'
import type { ExecuteReply, Json } from './reply.js'
import { Sessions } from './sessions.js'

export { fromJson, toJson } from '../shared/values/json.js'
export type { ExecuteRequest, PendingAnswer } from './execution.js'
export type { HostCall, SessionCallback, SessionCallbackDefinition, SessionObjectOptions } from './options.js'
export type { CompletedReply, ExecuteReply, FailedReply, Json, WaitingCall } from './reply.js'

/** Answers to waiting host calls, by call id; values are the JSON that `toJson` makes. */
export interface ResumeRequest {
  readonly results?: Readonly<Record<string, Json>>
  /** Messages of errors that the calls raise in Python. */
  readonly errors?: Readonly<Record<string, string>>
}

/** The handlers of a session object, for typed clients. Calls of one session run one at a time, except `pending` and `resume`. */
export interface SessionHandlers {
  /** Runs code, and waits until all of its host calls are answered. */
  execute(ctx: ObjectContext, request: ExecuteRequest): Promise<ExecuteReply>
  /** Host calls of the running execution that wait for `resume`. */
  pending(ctx: ObjectSharedContext): Promise<readonly PendingAnswer[]>
  /** Answers some or all of them. */
  resume(ctx: ObjectSharedContext, answers: ResumeRequest): Promise<void>
  /** The value of a global variable. */
  get(ctx: ObjectContext, name: string): Promise<Json>
  set(ctx: ObjectContext, variable: { readonly name: string; readonly value: Json }): Promise<void>
  /** Gives the session a fresh interpreter. */
  reset(ctx: ObjectContext): Promise<void>
  /** Removes the session from the store. */
  delete(ctx: ObjectContext): Promise<void>
}

/**
 * A virtual object whose keys are session ids. Serve it with `restate.serve({ services: [sessionObject({ manager })] })` in any number of
 * processes. Every execution, and every answer of a callback, takes effect once, even if processes are killed.
 *
 * @throws InvalidOptionError
 * @throws InstallationError when the JavaScript engine is too old for Restate's SDK
 */
export function sessionObject<Name extends string = 'session'>(
  options: SessionObjectOptions<Name>,
): VirtualObjectDefinition<Name, SessionHandlers> {
  const resolved = resolveObjectOptions(options)
  const sessions = new Sessions(resolved)
  const own: Record<string, unknown> = {
    execute: (ctx: ObjectContext, request: ExecuteRequest) =>
      new Execution(ctx, sessions, resolved).run(Object(request)),
    pending: handlers.object.shared(pendingOf),
    resume: handlers.object.shared(resume),
    get: (ctx: ObjectContext, name: string) =>
      ctx.run('get', () =>
        sessions.call(ctx.key, async (session) => toJson(await session.get(name), resolved.maxResultBytes)),
      ),
    set: (ctx: ObjectContext, variable: { readonly name: string; readonly value: Json }) => {
      const { name, value }: Partial<typeof variable> = Object(variable)
      return ctx.run('set', () =>
        sessions.call(ctx.key, (session) =>
          session.set(name as string, fromJson(value) as NonNullable<unknown>),
        ),
      )
    },
    reset: (ctx: ObjectContext) =>
      ctx.run('reset', () => sessions.call(ctx.key, (session) => session.reset())),
    delete: (ctx: ObjectContext) =>
      ctx.run('delete', () => sessions.call(ctx.key, (session) => session.delete())),
  }
  for (const [name, { fn }] of resolved.callbacks) if (fn) own[handlerOf(name)] = callbackHandler(fn)
  return object({ name: resolved.name, handlers: own as never, options: resolved.restate }) as never
}

async function pendingOf(ctx: ObjectSharedContext): Promise<readonly PendingAnswer[]> {
  return (await ctx.get<readonly PendingAnswer[]>(PENDING)) ?? []
}

async function resume(ctx: ObjectSharedContext, answers: ResumeRequest): Promise<void> {
  const { results = {}, errors = {} }: ResumeRequest = Object(answers)
  const pending = new Map((await pendingOf(ctx)).map(({ id, awakeableId }) => [id, awakeableId]))
  const ids = [...Object.keys(results), ...Object.keys(errors)]
  const unknown = ids.find((id) => !pending.has(id))
  if (unknown !== undefined)
    throw new TerminalError(`no host call ${unknown} waits for an answer`, { errorCode: 404 })
  for (const value of Object.values(results))
    try {
      fromJson(value)
    } catch (error) {
      throw new TerminalError((error as Error).message, { errorCode: 400 })
    }
  for (const [id, value] of Object.entries(results)) ctx.resolveAwakeable(pending.get(id) ?? '', value)
  for (const [id, message] of Object.entries(errors)) ctx.rejectAwakeable(pending.get(id) ?? '', message)
}

/** For calls by executions only. */
function callbackHandler(fn: NonNullable<ResolvedCallback['fn']>): unknown {
  return handlers.object.shared(
    { ingressPrivate: true },
    async (ctx: ObjectSharedContext, { args, call }: { readonly args: Json; readonly call: HostCall }) =>
      toJson((await fn(ctx, fromJson(args), call)) ?? null),
  )
}
