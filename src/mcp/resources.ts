// The resources of a tenant: files of its sessions, and long outputs. Owns reading them; tools return their URIs.
import type { McpServer, ReadResourceResult } from '@modelcontextprotocol/server'
import { mimeTypeOf } from '../presentation/media-types.js'
import { toBase64 } from '../shared/base64.js'
import { InvalidOptionError, StorageError } from '../shared/errors.js'
import { textOfPart } from './file-part.js'
import type { McpHost } from './host.js'
import { RefusedError, type Tenant } from './tenant.js'
import { FILE_TEMPLATE, OUTPUT_TEMPLATE } from './uris.js'

const MAX_FILE_BYTES = 16 * 1024 * 1024
const NAME = /^[A-Za-z0-9_-]{1,64}$/

export function registerResources({ sdk }: McpHost, server: McpServer, tenant: Tenant): void {
  const notFound = (uri: URL) => new sdk.ResourceNotFoundError(uri.href)
  server.registerResource(
    'session-file',
    new sdk.ResourceTemplate(FILE_TEMPLATE, { list: undefined }),
    { title: 'File of a session', description: 'A file that Python code wrote, by its absolute path.' },
    async (uri, { session, path }) => {
      const name = one(session)
      if (!NAME.test(name) || !(await tenant.has(name))) throw notFound(uri)
      try {
        const file = `/${decodeURIComponent(one(path))}`
        const { files } = (await tenant.open(name)).session
        const { sizeBytes: size } = await files.stat(file)
        if (size > MAX_FILE_BYTES)
          throw new RefusedError(`the file has ${size} bytes, and a resource at most ${MAX_FILE_BYTES}`)
        return contents(uri, mimeTypeOf(file), await files.readFile(file))
      } catch (error) {
        if (isOfPath(error)) throw notFound(uri)
        throw error
      }
    },
  )
  server.registerResource(
    'output',
    new sdk.ResourceTemplate(OUTPUT_TEMPLATE, { list: undefined }),
    { title: 'Whole output', description: 'An output of which a result had only a part.' },
    async (uri, { id }) => {
      const output = tenant.outputs.get(one(id))
      if (output === undefined) throw notFound(uri)
      return contents(uri, output.mimeType, output.content)
    },
  )
}

/** Whether the file does not exist, or cannot exist, such as one with NUL in its path. */
function isOfPath(error: unknown): boolean {
  return (
    error instanceof StorageError ||
    (error instanceof InvalidOptionError && error.option === 'path') ||
    error instanceof URIError
  )
}

function contents(
  uri: URL,
  mimeType = 'application/octet-stream',
  content: string | Uint8Array,
): ReadResourceResult {
  const whole = typeof content === 'string' ? content : textOfPart(content, true)?.text
  const common = { uri: uri.href, mimeType }
  return {
    contents: [
      whole === undefined ? { ...common, blob: toBase64(content as Uint8Array) } : { ...common, text: whole },
    ],
  }
}

function one(value: string | string[] | undefined): string {
  return Array.isArray(value) ? value.join('/') : (value ?? '')
}
