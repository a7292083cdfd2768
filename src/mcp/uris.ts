// The URIs of files in sessions. Owns their form, and which MIME types are images.

export const FILE_TEMPLATE = 'brumate://sessions/{session}/files/{+path}'
export const OUTPUT_TEMPLATE = 'brumate://outputs/{id}'

/** `path` is absolute. */
export function fileUri(session: string, path: string): string {
  const encoded = path.split('/').map(encodeURIComponent).join('/')
  return `brumate://sessions/${session}/files${encoded}`
}

/** MIME types that a client shows as an image. */
export function isImage(mimeType: string | undefined): mimeType is string {
  return mimeType !== undefined && /^image\/(png|jpeg|gif|webp)$/.test(mimeType)
}
