// What code has displayed, as content blocks: images, text, and links to the rest. Owns how links are labelled.
import type { ContentBlock } from '@modelcontextprotocol/server'
import { displayParts } from '../presentation/displays.js'
import { shorten } from '../presentation/text.js'
import type { Display } from '../shared/display.js'
import { image, link, text } from './blocks.js'
import type { Outputs } from './outputs.js'

export interface DisplayOptions {
  readonly outputs: Outputs
  /** Limit for the text of all displays together. */
  readonly maxTextLength: number
}

const MAX_MIME_TYPE_LENGTH = 255

/** Images become images and short texts text. Anything else, or over a limit, becomes a resource. A last line counts what is left out. */
export function displayBlocks(displays: readonly Display[], options: DisplayOptions): ContentBlock[] {
  return displayParts(displays, options.maxTextLength).map((part) => {
    if (part.kind === 'image') return image(part.data, part.mimeType)
    if (part.kind === 'text') return text(part.text)
    const { mimeType: given, data } = part
    const mimeType = given.length <= MAX_MIME_TYPE_LENGTH ? given.toWellFormed() : 'application/octet-stream'
    const uri = options.outputs.keep(mimeType, data)
    return link(uri, shorten(given, MAX_MIME_TYPE_LENGTH), mimeType, data.length)
  })
}
