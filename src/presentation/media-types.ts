// MIME types of files and displays. Owns the type of each file extension, and which types models and clients show as images.
import { extname } from 'node:path/posix'

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

export type ImageMimeType = 'image/png' | 'image/jpeg' | 'image/gif' | 'image/webp'

export function mimeTypeOf(path: string): string | undefined {
  return MIME_TYPES[extname(path).toLowerCase()]
}

/** Whether models and clients show this type as an image. */
export function isImage(mimeType: string | undefined): mimeType is ImageMimeType {
  return mimeType !== undefined && /^image\/(png|jpeg|gif|webp)$/.test(mimeType)
}
