// Runs a script in several ways: its tools answered directly, or the script saved and restored at every await, in another session or
// another process. Owns the ways; the tests own what a script must result in (C8, D8).
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import {
  type CallbackDefinition,
  type CallbackFn,
  type Callbacks,
  type ExecuteResult,
  type JsonSchema,
  PythonError,
  type SessionManager,
  Snapshot,
} from 'brumate'
import { inject } from 'vitest'
import { sharedManager } from '../../support/shared-manager.js'

const THAW = fileURLToPath(new URL('thaw.mjs', import.meta.url))
const DIST = new URL('../../../dist/', import.meta.url).href

// biome-ignore lint/suspicious/noExplicitAny: the arguments are what the tool's own schema says
type ToolFn = (args: any) => unknown

export interface Tool {
  readonly fn: ToolFn
  readonly description?: string
  readonly parameters?: JsonSchema
  /** Answered directly in every way, because synchronous code cannot be suspended. */
  readonly onTheSpot?: boolean
}

export type Tools = Readonly<Record<string, Tool>>

/** One tool call, as the tool saw it. */
export interface Called {
  readonly name: string
  readonly args: unknown
}

/** The outcome of a script. */
export interface Ran {
  readonly value: unknown
  readonly stdout: string
  readonly stderr: string
  readonly error: { readonly type: string; readonly message: string } | undefined
  /** All tool calls, in order. */
  readonly called: readonly Called[]
  /** How many times the script was saved and restored. */
  readonly freezes: number
}

export interface Way {
  readonly name: string
  readonly freezes: boolean
  run(manager: SessionManager, code: string, tools: Tools): Promise<Ran>
}

type Ended =
  | Pick<ExecuteResult, 'status' | 'stdout' | 'stderr' | 'value' | 'pending'>
  | {
      readonly status: 'failed'
      readonly stdout: string
      readonly stderr: string
      readonly error: Ran['error']
    }

export interface Answers {
  readonly results: Record<string, unknown>
  readonly errors: Record<string, unknown>
}

/** One part of a script's run: up to its end, or up to the next suspension, with the snapshot taken there. */
interface Piece {
  readonly ended: Ended
  readonly bytes: Uint8Array | undefined
}

export const plain: Way = {
  name: 'plain',
  freezes: false,
  async run(manager, code, tools) {
    const called: Called[] = []
    await using session = await manager.createSession({
      checkpoint: 'manual',
      callbacks: answering(tools, called),
    })
    return ran([await settled(session.execute(code))], called, 0)
  },
}

const thawedHere: Way = {
  name: 'frozen and thawed in another session at each await',
  freezes: true,
  run: (manager, code, tools) =>
    freezing(manager, code, tools, async (bytes, answers, called) => {
      await using session = await manager.createSession({
        from: Snapshot.fromBytes(bytes),
        tenant: 'thawed',
        checkpoint: 'manual',
        callbacks: suspending(tools, called),
      })
      const ended = await settled(session.resume(answers))
      const frozen = ended.status === 'suspended' ? await session.snapshotState() : undefined
      return { ended, bytes: frozen?.toBytes() }
    }),
}

/** Another process, started on first use and killed by `close` of `openWays`. */
let other: ChildProcess | undefined

const thawedElsewhere: Way = {
  name: 'frozen and thawed in another process at each await',
  freezes: true,
  run: (manager, code, tools) =>
    freezing(manager, code, tools, async (bytes, answers, called) => {
      other ??= fork(THAW, [JSON.stringify({ dist: DIST, cacheDir: inject('cacheDir') })], {
        serialization: 'advanced',
      })
      const child = other
      const shown = Object.entries(tools).map(([name, { fn: _, ...shown }]) => ({ name, ...shown }))
      return new Promise<Piece>((resolve, reject) => {
        const onExit = () => reject(new Error('the other process ended'))
        const onMessage = (message: Piece | { call: number; name: string; args: unknown }) => {
          if (!('call' in message)) {
            child.off('exit', onExit)
            child.off('message', onMessage)
            return resolve(message)
          }
          // A tool that is answered directly runs in this process in every way.
          const { call, name, args } = message
          called.push({ name, args })
          void Promise.resolve(tools[name]?.fn(args)).then((value) => child.send({ call, value }))
        }
        child.once('exit', onExit)
        child.on('message', onMessage)
        child.send({ bytes, answers: portable(answers), tools: shown })
      })
    }),
}

export const WAYS: readonly Way[] = [plain, thawedHere, thawedElsewhere]

/** Returns a manager for the ways. `close` ends the other process. */
export async function openWays(): Promise<{ manager: SessionManager; close(): Promise<void> }> {
  const manager = await sharedManager({ slots: 4 })
  const close = async () => {
    other?.kill('SIGKILL')
    other = undefined
  }
  return { manager, close }
}

type GoOn = (bytes: Uint8Array, answers: Answers, called: Called[]) => Promise<Piece>

/** Lets every tool suspend, and passes its answers to the restored copy. Only one copy exists at a time. */
async function freezing(manager: SessionManager, code: string, tools: Tools, goOn: GoOn): Promise<Ran> {
  const called: Called[] = []
  const pieces: Ended[] = []
  let frozen: Uint8Array | undefined
  {
    await using session = await manager.createSession({
      tenant: 'thawed',
      checkpoint: 'manual',
      callbacks: suspending(tools, called),
    })
    const ended = await settled(session.execute(code))
    pieces.push(ended)
    if (ended.status === 'suspended') frozen = (await session.snapshotState()).toBytes()
  }
  let freezes = 0
  for (let last = pieces.at(-1); last?.status === 'suspended' && frozen; last = pieces.at(-1)) {
    freezes += 1
    const { ended, bytes } = await goOn(frozen, await answersOf(last.pending, tools, called), called)
    pieces.push(ended)
    frozen = bytes
  }
  return ran(pieces, called, freezes)
}

/** Structured cloning drops the names of errors that are not built into JavaScript, so send name and message. */
function portable({ results, errors }: Answers) {
  const plainErrors = Object.entries(errors).map(([id, error]) => {
    const { name, message } = error as Error
    return [id, { name, message }]
  })
  return { results, errors: Object.fromEntries(plainErrors) }
}

/** Calls the tools for the pending calls and collects their results and errors. */
async function answersOf(
  pending: ExecuteResult['pending'],
  tools: Tools,
  called: Called[],
): Promise<Answers> {
  const answers: Answers = { results: {}, errors: {} }
  await Promise.all(
    pending.map(async ({ id, name, args }) => {
      called.push({ name, args })
      try {
        answers.results[id] = await tools[name]?.fn(args)
      } catch (error) {
        answers.errors[id] = error
      }
    }),
  )
  return answers
}

function answering(tools: Tools, called: Called[]): Callbacks {
  return each(tools, (name, { fn }) => (args) => {
    called.push({ name, args })
    return fn(args)
  })
}

function suspending(tools: Tools, called: Called[]): Callbacks {
  return each(tools, (name, { fn, onTheSpot }) => (args, { suspend }) => {
    if (!onTheSpot) suspend(`${name} waits`)
    called.push({ name, args })
    return fn(args)
  })
}

function each(tools: Tools, make: (name: string, tool: Tool) => CallbackFn): Callbacks {
  return Object.fromEntries(
    Object.entries(tools).map(([name, tool]): [string, CallbackDefinition] => {
      const { description = '', parameters } = tool
      const fn = make(name, tool)
      return [name, parameters === undefined ? { fn, description } : { fn, description, parameters }]
    }),
  )
}

async function settled(running: Promise<ExecuteResult>): Promise<Ended> {
  try {
    return await running
  } catch (error) {
    if (!(error instanceof PythonError)) throw error
    const { type, message, stdout, stderr } = error
    return { status: 'failed', stdout, stderr, error: { type, message } }
  }
}

function ran(pieces: readonly Ended[], called: readonly Called[], freezes: number): Ran {
  const last = pieces.at(-1)
  return {
    value: last && 'value' in last ? last.value : undefined,
    error: last && 'error' in last ? last.error : undefined,
    stdout: pieces.map(({ stdout }) => stdout).join(''),
    stderr: pieces.map(({ stderr }) => stderr).join(''),
    called,
    freezes,
  }
}
