// Parses and validates the bodies of LibreChat's requests. Owns which fields are read, under which names: versions of LibreChat use
// different ones.
import { ApiError } from './api-error.js'
import { dataName } from './files.js'

/** A file of an earlier upload or execution that code may read. */
export interface FileReference {
  readonly id: string
  readonly session: string
  /** The file's path below /mnt/data. */
  readonly name: string
  /** The reference as LibreChat sent it; LibreChat gets it back if the file has not changed. */
  readonly given: Readonly<Record<string, unknown>>
}

export interface ExecRequest {
  readonly lang: string
  readonly code: string
  readonly args: readonly string[]
  readonly session: string | undefined
  readonly files: readonly FileReference[] | undefined
}

export interface ToolDefinition {
  readonly name: string
  readonly description: string | undefined
}

export interface ProgrammaticRequest extends Omit<ExecRequest, 'args'> {
  readonly tools: readonly ToolDefinition[]
  readonly timeoutMs: number | undefined
}

export interface ToolResult {
  readonly id: string
  readonly result: unknown
  readonly error: string | undefined
}

const MAX_FILES = 200
const MAX_ARGS = 1000
const MAX_TOOLS = 100
type Fields = Readonly<Record<string, unknown>>

export function execRequest(body: unknown): ExecRequest {
  const { lang, code, args = [], session_id, files } = fieldsOf(body, 'the body')
  if (typeof lang !== 'string') throw new ApiError(400, 'lang: expected text, such as "py"')
  if (typeof code !== 'string') throw new ApiError(400, 'code: expected text')
  const isArgs =
    Array.isArray(args) && args.length <= MAX_ARGS && args.every((arg) => typeof arg === 'string')
  if (!isArgs) throw new ApiError(400, `args: expected at most ${MAX_ARGS} texts`)
  return { lang, code, args, session: textOf(session_id), files: referencesOf(files) }
}

export function programmaticRequest(body: Fields): ProgrammaticRequest {
  const { code, tools, timeout, session_id, files } = body
  const lang = body.lang ?? body.language ?? 'py'
  if (typeof code !== 'string' || code === '') throw new ApiError(400, 'code: expected text')
  if (!Array.isArray(tools) || tools.length === 0 || tools.length > MAX_TOOLS)
    throw new ApiError(400, `tools: expected 1 to ${MAX_TOOLS} tools`)
  if (timeout !== undefined && !(typeof timeout === 'number' && timeout >= 1))
    throw new ApiError(400, 'timeout: expected a number of milliseconds')
  return {
    ...{ lang: String(lang), code, timeoutMs: timeout, session: textOf(session_id) },
    files: referencesOf(files),
    tools: tools.map((tool) => {
      const { name, description } = fieldsOf(tool, 'a tool')
      if (typeof name !== 'string' || name === '') throw new ApiError(400, 'tools: expected a name for each')
      return { name, description: textOf(description) }
    }),
  }
}

export function toolResults(results: unknown): ToolResult[] {
  if (!Array.isArray(results) || results.length === 0 || results.length > MAX_FILES * MAX_TOOLS)
    throw new ApiError(400, 'tool_results: expected an array with at least one result')
  return results.map((one) => {
    const { call_id, result, is_error, error_message } = fieldsOf(one, 'a tool result')
    if (typeof call_id !== 'string') throw new ApiError(400, 'tool_results: expected a call_id for each')
    const error = is_error === true ? (textOf(error_message) ?? 'the tool failed') : undefined
    return { id: call_id, result: result ?? null, error }
  })
}

export function fieldsOf(value: unknown, what: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ApiError(400, `${what}: expected a JSON object`)
  return value as Fields
}

function referencesOf(files: unknown): FileReference[] | undefined {
  if (files === undefined || files === null) return undefined
  if (!Array.isArray(files) || files.length > MAX_FILES)
    throw new ApiError(400, `files: expected at most ${MAX_FILES} references to files`)
  return files.map((file) => {
    const given = fieldsOf(file, 'a file')
    const { id, name } = given
    // LibreChat's name for the field until 2026.
    const session = given.storage_session_id ?? given.session_id
    if (typeof id !== 'string' || typeof session !== 'string')
      throw new ApiError(400, 'files: expected id, storage_session_id and name of each')
    return { id, session, name: dataName(name), given }
  })
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
