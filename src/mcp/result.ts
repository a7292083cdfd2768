// What an execution came to, as the result of a tool call: structured content, text, resources. Owns how much of it a result has, but for
// displays.
import { Buffer } from 'node:buffer'
import { basename } from 'node:path/posix'
import type { CallToolResult, ContentBlock } from '@modelcontextprotocol/server'
import { jsonValue } from '../presentation/json-value.js'
import { mimeTypeOf } from '../presentation/mime-types.js'
import type { ExecuteResult } from '../session/outcome.js'
import { ExecutionError, PythonError, SessionMovedError } from '../shared/errors.js'
import { link, text } from './blocks.js'
import { displayBlocks } from './display-blocks.js'
import { cut, type Outputs, shorten } from './outputs.js'
import { fileUri } from './uris.js'

export interface ResultOptions {
  readonly session: string
  readonly notes: readonly string[]
  readonly outputs: Outputs
  readonly maxTextLength: number
}

const MAX_FILES = 100
const MAX_FILE_LINKS = 20
const MAX_FRAMES = 50
/** Clients' parsers have bounds of their own. */
const MAX_DEPTH = 64
const MAX_MESSAGE_LENGTH = 2000
/** Of names that code chooses: of classes, functions and files. */
const MAX_NAME_LENGTH = 300

export function resultOf(result: ExecuteResult, options: ResultOptions): CallToolResult {
  const { session, notes, maxTextLength } = options
  const { stdout, stderr, files, moreFiles } = result
  const texts = new Texts(options)
  const repr = result.repr === undefined ? null : texts.cut(result.repr)
  const value =
    result.value === undefined
      ? undefined
      : jsonValue(result.value, { maxLength: maxTextLength, maxDepth: MAX_DEPTH })
  const shown = files.slice(0, MAX_FILES)
  const links: ContentBlock[] = shown
    .filter(({ change }) => change !== 'removed')
    .slice(0, MAX_FILE_LINKS)
    .map(({ path, sizeBytes }) => link(fileUri(session, path), basename(path), mimeTypeOf(path), sizeBytes))
  const output = { stdout: texts.cut(stdout), stderr: texts.cut(stderr) }
  return {
    content: [
      text(textOf({ ...output, repr, notes })),
      ...displayBlocks(result.displays, options),
      ...links,
      ...texts.links,
    ],
    structuredContent: {
      ...{ session, status: 'ok', ...output, repr },
      ...(value === undefined ? {} : { value }),
      error: null,
      files: shown.map(({ path, change, sizeBytes }) => ({ path, change, sizeBytes })),
      moreFiles: moreFiles + files.length - shown.length,
      executionCount: result.executionCount,
      durationMs: Math.round(result.durationMs),
      notes: [...notes],
    },
  }
}

/** `undefined` for an error that is not about the code. */
export function resultOfError(error: unknown, options: ResultOptions): CallToolResult | undefined {
  if (!(error instanceof ExecutionError)) return undefined
  const { session, notes } = options
  const texts = new Texts(options)
  const output = { stdout: texts.cut(error.stdout), stderr: texts.cut(error.stderr) }
  const isPython = error instanceof PythonError
  const traceback = isPython ? texts.cut(error.traceback) : null
  const described = isPython
    ? {
        type: shorten(error.type, MAX_NAME_LENGTH),
        message: cut(error.detail, MAX_MESSAGE_LENGTH),
        traceback,
        frames: error.frames.slice(-MAX_FRAMES).map(({ file, line, function: name, text }) => ({
          ...{ file: shorten(file, MAX_NAME_LENGTH), line: line ?? null },
          ...{ function: shorten(name, MAX_NAME_LENGTH), text: shorten(text, MAX_MESSAGE_LENGTH) },
        })),
      }
    : { type: error.name, message: cut(messageOf(error), MAX_MESSAGE_LENGTH), traceback: null, frames: [] }
  return {
    isError: true,
    content: [
      text(textOf({ ...output, failure: traceback ?? `${described.type}: ${described.message}`, notes })),
      ...displayBlocks(error.displays, options),
      ...texts.links,
    ],
    structuredContent: {
      ...{ session, status: 'error', ...output, repr: null, error: described },
      ...{ files: [], moreFiles: 0, executionCount: null, durationMs: null, notes: [...notes] },
    },
  }
}

function messageOf(error: ExecutionError): string {
  // The error's own message is for programs.
  if (error instanceof SessionMovedError)
    return 'another server has taken this session, so what this call did is lost. The next call continues with what is stored'
  return error.message
}

/** Cuts texts, and collects links to what was cut. */
class Texts {
  readonly links: ContentBlock[] = []
  readonly #options: ResultOptions

  constructor(options: ResultOptions) {
    this.#options = options
  }

  cut(whole: string): string {
    const { outputs, maxTextLength } = this.#options
    if (whole.length <= maxTextLength) return whole.toWellFormed()
    const uri = outputs.keep('text/plain', whole)
    this.links.push(link(uri, 'whole text', 'text/plain', Buffer.byteLength(whole)))
    return cut(whole, maxTextLength, uri)
  }
}

interface Shown {
  readonly stdout: string
  readonly stderr: string
  readonly repr?: string | null
  readonly failure?: string
  readonly notes: readonly string[]
}

function textOf({ stdout, stderr, repr, failure, notes }: Shown): string {
  const parts = [
    ...(stdout === '' ? [] : [stdout.replace(/\n$/, '')]),
    ...(stderr === '' ? [] : [`[stderr]\n${stderr.replace(/\n$/, '')}`]),
    ...(repr ? [stdout === '' && stderr === '' ? repr : `[value]\n${repr}`] : []),
    ...(failure === undefined ? [] : [failure.replace(/\n$/, '')]),
    ...notes.map((note) => `[note] ${note}`),
  ]
  return parts.length === 0 ? '(no output)' : parts.join('\n')
}
