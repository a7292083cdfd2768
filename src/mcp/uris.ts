// The URIs of files in sessions. Owns their form and the MIME types of files.
import { extname } from 'node:path/posix'

export const FILE_TEMPLATE = 'brumate://sessions/{session}/files/{+path}'
export const OUTPUT_TEMPLATE = 'brumate://outputs/{id}'

const MIME_TYPES: Readonly<Record<string, string>> = {
  '.csv': 'text/csv',
  '.gif': 'image/gif',
  '.html': 'text/html',
  '.jpeg': 'image/jpeg',
  '.jpg': 'image/jpeg',
  '.json': 'application/json',
  '.md': 'text/markdown',
  '.pdf': 'application/pdf',
  '.png': 'image/png',
  '.py': 'text/x-python',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain',
  '.webp': 'image/webp',
  '.xml': 'application/xml',
  '.zip': 'application/zip',
}

/** `path` is absolute. */
export function fileUri(session: string, path: string): string {
  const encoded = path.split('/').map(encodeURIComponent).join('/')
  return `brumate://sessions/${session}/files${encoded}`
}

export function mimeTypeOf(path: string): string | undefined {
  return MIME_TYPES[extname(path).toLowerCase()]
}

/** MIME types that a client shows as an image. */
export function isImage(mimeType: string | undefined): mimeType is string {
  return mimeType !== undefined && /^image\/(png|jpeg|gif|webp)$/.test(mimeType)
}
