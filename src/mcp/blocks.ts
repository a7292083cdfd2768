// The kinds of content blocks in results. Owns their form.
import type { ContentBlock } from '@modelcontextprotocol/server'
import { toBase64 } from '../shared/base64.js'

export function text(content: string): ContentBlock {
  return { type: 'text', text: content }
}

export function image(data: Uint8Array, mimeType: string): ContentBlock {
  return { type: 'image', data: toBase64(data), mimeType }
}

export function link(uri: string, name: string, mimeType: string | undefined, size: number): ContentBlock {
  return { type: 'resource_link', uri, name, size, ...(mimeType === undefined ? {} : { mimeType }) }
}
