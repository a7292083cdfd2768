// The URIs of files in sessions. Owns their form.

export const FILE_TEMPLATE = 'brumate://sessions/{session}/files/{+path}'
export const OUTPUT_TEMPLATE = 'brumate://outputs/{id}'

/** `path` is absolute. */
export function fileUri(session: string, path: string): string {
  const encoded = path.split('/').map(encodeURIComponent).join('/')
  return `brumate://sessions/${session}/files${encoded}`
}
