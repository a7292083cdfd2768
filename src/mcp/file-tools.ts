// The tools for a session's files: read_file, write_file, list_files. Owns how much of a file they return.
import { Buffer } from 'node:buffer'
import { dirname, resolve } from 'node:path/posix'
import type { CallToolResult } from '@modelcontextprotocol/server'
import { isImage, mimeTypeOf } from '../presentation/media-types.js'
import type { SessionFiles } from '../session/session-files.js'
import { toBase64 } from '../shared/base64.js'
import { InvalidOptionError, StorageError } from '../shared/errors.js'
import { image, link, text } from './blocks.js'
import { readPart, textOfPart } from './file-part.js'
import { ARGUMENTS, RESULTS } from './schemas.js'
import { RefusedError, type Tenant } from './tenant.js'
import type { Tool } from './tool.js'
import { fileUri } from './uris.js'

const MAX_ENTRIES = 500
const MAX_IMAGE_BYTES = 4 * 1024 * 1024
const MAX_BINARY_BYTES = 64 * 1024
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

export function fileTools(
  tenant: Tenant,
  home: string,
  maxTextLength: number,
): Readonly<Record<string, Tool>> {
  return {
    read_file: {
      title: 'Read a file',
      description:
        'Reads a file of the session: text, an image, or a small binary file. A long text comes in parts, by `offset`.',
      arguments: ARGUMENTS.readFile,
      annotations: { readOnlyHint: true },
      call: async (args, { mcpReq: { signal } }) => {
        const { path = '', session = 'default', offset = 0 } = args
        const { files } = (await tenant.open(session, signal)).session
        return readFile(files, session, resolve(home, path), offset, maxTextLength)
      },
    },
    write_file: {
      title: 'Write a file',
      description:
        'Writes a file of the session, and makes the directories above it. Replaces what is there.',
      arguments: ARGUMENTS.writeFile,
      annotations: { destructiveHint: true, idempotentHint: true },
      call: async (args, { mcpReq: { signal } }) => {
        const { session = 'default', content = '', encoding = 'utf8' } = args
        const path = resolve(home, args.path ?? '')
        const bytes = bytesOf(content, encoding)
        const { files } = (await tenant.open(session, signal)).session
        await files.mkdir(dirname(path), { recursive: true })
        await files.writeFile(path, bytes)
        return {
          content: [
            text(`wrote ${bytes.length} bytes to ${path}`),
            link(fileUri(session, path), path, mimeTypeOf(path), bytes.length),
          ],
        }
      },
    },
    list_files: {
      title: 'List files',
      description: 'Lists a directory of the session, by default its home directory.',
      arguments: ARGUMENTS.listFiles,
      result: RESULTS.listFiles,
      annotations: { readOnlyHint: true },
      call: async (args, { mcpReq: { signal } }) => {
        const { path = '.', session = 'default' } = args
        const { files } = (await tenant.open(session, signal)).session
        return listFiles(files, resolve(home, path))
      },
    },
  }
}

async function readFile(
  files: SessionFiles,
  session: string,
  path: string,
  offset: number,
  maxTextLength: number,
): Promise<CallToolResult> {
  const { sizeBytes: size } = await files.stat(path)
  const mimeType = mimeTypeOf(path)
  if (isImage(mimeType) && size <= MAX_IMAGE_BYTES)
    return { content: [image(await files.readFile(path), mimeType)] }
  const part = await readPart(files, path, offset, maxTextLength)
  const found = textOfPart(part, offset + part.length >= size)
  if (found !== undefined) {
    const end = offset + found.sizeBytes
    const mark = end < size ? `\n[… ${size - end} bytes follow; read them with offset ${end} …]` : ''
    return { content: [text(found.text + mark)] }
  }
  if (size > MAX_BINARY_BYTES)
    throw new RefusedError(
      `${path} is a binary file of ${size} bytes; look at it with run_python, or read the resource ${fileUri(session, path)}`,
    )
  const blob = toBase64(await files.readFile(path))
  const uri = fileUri(session, path)
  const resource = { uri, mimeType: mimeType ?? 'application/octet-stream', blob }
  return { content: [{ type: 'resource', resource }] }
}

async function listFiles(files: SessionFiles, path: string): Promise<CallToolResult> {
  const names = await files.list(path)
  const shown = names.slice(0, MAX_ENTRIES)
  const entries = await Promise.all(
    shown.map(async (name) => {
      try {
        const status = await files.stat(resolve(path, name), { followLinks: false })
        return { name, type: status.kind, sizeBytes: status.sizeBytes }
      } catch (error) {
        // A device, a file that was removed meanwhile, or a name that is not UTF-8 must not prevent listing the others.
        if (!(error instanceof StorageError || error instanceof InvalidOptionError)) throw error
        return { name, type: 'unknown' }
      }
    }),
  )
  const more = names.length - shown.length
  const lines = entries.map(({ name, type, sizeBytes }) =>
    type === 'directory' ? `${name}/` : `${name}  ${sizeBytes ?? '(unknown)'}`,
  )
  const rest = more > 0 ? [`… and ${more} more`] : []
  return {
    content: [text([`${path}:`, ...(lines.length === 0 ? ['(empty)'] : lines), ...rest].join('\n'))],
    structuredContent: { path, entries, more },
  }
}

function bytesOf(content: string, encoding: 'utf8' | 'base64'): Uint8Array {
  if (encoding === 'base64' && !BASE64.test(content))
    throw new RefusedError('content: expected base64, with its padding and without white space')
  return new Uint8Array(Buffer.from(content, encoding))
}
