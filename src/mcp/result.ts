// What an execution came to, as the result of a tool call: structured content, text, images, resources. Owns how much of it a result has.
import { Buffer } from 'node:buffer'
import { basename } from 'node:path/posix'
import type { CallToolResult, ContentBlock } from '@modelcontextprotocol/server'
import type { ExecuteResult } from '../session/outcome.js'
import type { Display } from '../shared/display.js'
import { ExecutionError, PythonError, SessionMovedError } from '../shared/errors.js'
import { jsonValue } from './json-value.js'
import { cut, type Outputs } from './outputs.js'
import { fileUri, isImage, mimeTypeOf } from './uris.js'

export interface ResultOptions {
  readonly session: string
  readonly notes: readonly string[]
  readonly outputs: Outputs
  readonly maxTextLength: number
}

/** The parts that results and errors have in common. */
interface Ended {
  readonly stdout: string
  readonly stderr: string
  readonly displays: readonly Display[]
}

const MAX_FILES = 100
const MAX_FILE_LINKS = 20
const MAX_FRAMES = 50
const MAX_IMAGES = 10
const MAX_IMAGES_BYTES = 4 * 1024 * 1024
const MAX_MESSAGE_LENGTH = 2000

export function resultOf(result: ExecuteResult, options: ResultOptions): CallToolResult {
  const { session, notes, maxTextLength } = options
  const { stdout, stderr, files, moreFiles } = result
  const texts = new Texts(options)
  const repr = result.repr === undefined ? null : texts.cut(result.repr)
  const value = result.value === undefined ? undefined : jsonValue(result.value, maxTextLength)
  const shown = files.slice(0, MAX_FILES)
  const links: ContentBlock[] = shown
    .filter(({ change }) => change !== 'removed')
    .slice(0, MAX_FILE_LINKS)
    .map(({ path, sizeBytes }) => link(fileUri(session, path), basename(path), mimeTypeOf(path), sizeBytes))
  const output = { stdout: texts.cut(stdout), stderr: texts.cut(stderr) }
  return {
    content: [
      text(textOf({ ...output, repr, notes })),
      ...displaysOf(result, options),
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
        type: error.type,
        message: cut(error.detail, MAX_MESSAGE_LENGTH),
        traceback,
        frames: error.frames.slice(-MAX_FRAMES).map(({ file, line, function: name, text }) => ({
          ...{ file, line: line ?? null, function: name, text: text.slice(0, MAX_MESSAGE_LENGTH) },
        })),
      }
    : { type: error.name, message: messageOf(error), traceback: null, frames: [] }
  return {
    isError: true,
    content: [
      text(textOf({ ...output, failure: traceback ?? `${described.type}: ${described.message}`, notes })),
      ...displaysOf(error, options),
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

export function text(content: string): ContentBlock {
  return { type: 'text', text: content }
}

export function image(data: Uint8Array, mimeType: string): ContentBlock {
  return { type: 'image', data: base64(data), mimeType }
}

export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

export function link(uri: string, name: string, mimeType: string | undefined, size: number): ContentBlock {
  return { type: 'resource_link', uri, name, size, ...(mimeType === undefined ? {} : { mimeType }) }
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

/** Images as images; other forms as resources, unless there is only text that `repr` has, too. */
function displaysOf({ displays }: Ended, { outputs, maxTextLength }: ResultOptions): ContentBlock[] {
  const blocks: ContentBlock[] = []
  let images = 0
  let imagesBytes = 0
  for (const display of displays) {
    const forms = Object.entries(display)
    const picture = forms.find(([mimeType, data]) => isImage(mimeType) && typeof data !== 'string')
    if (picture) {
      const [mimeType, data] = picture as [string, Uint8Array]
      images++
      imagesBytes += data.length
      blocks.push(
        images <= MAX_IMAGES && imagesBytes <= MAX_IMAGES_BYTES
          ? image(data, mimeType)
          : link(outputs.keep(mimeType, data), `image ${images}`, mimeType, data.length),
      )
      continue
    }
    for (const [mimeType, data] of forms) {
      const isShort = typeof data === 'string' && data.length <= maxTextLength
      if (isShort && /^text\/(plain|markdown)$/.test(mimeType)) blocks.push(text(data.toWellFormed()))
      else blocks.push(link(outputs.keep(mimeType, data), mimeType, mimeType, data.length))
    }
  }
  return blocks
}
