// The result of a Python call for a model, as LangChain's content blocks. Owns the format.
import type { ModelOutcome } from '../presentation/python-tool.js'
import { toBase64 } from '../shared/base64.js'

export type PythonContent =
  | string
  | ({ type: 'text'; text: string } | { type: 'image_url'; image_url: { url: string } })[]

/** Text alone if there are no images. Otherwise they follow it as data URLs, which every chat model that accepts images understands. */
export function contentOf({ text, images }: ModelOutcome): PythonContent {
  if (images.length === 0) return text
  return [
    { type: 'text', text },
    ...images.map(({ mimeType, data }) => ({
      type: 'image_url' as const,
      image_url: { url: `data:${mimeType};base64,${toBase64(data)}` },
    })),
  ]
}
