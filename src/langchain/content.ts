// What a model gets of a call of Python, as LangChain's content blocks. Owns the form.
import type { ModelOutcome } from '../presentation/python-tool.js'
import { toBase64 } from '../shared/base64.js'

export type PythonContent =
  | string
  | ({ type: 'text'; text: string } | { type: 'image_url'; image_url: { url: string } })[]

/** Text alone, unless there are images, which follow it as data URLs: every chat model that takes images takes these. */
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
