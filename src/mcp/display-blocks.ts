// What code has displayed, as content blocks: images, text, and links to the rest. Owns how many blocks and how much text they come to.
import type { ContentBlock } from '@modelcontextprotocol/server'
import type { Display } from '../shared/display.js'
import { image, link, text } from './blocks.js'
import { type Outputs, shorten } from './outputs.js'
import { isImage } from './uris.js'

export interface DisplayOptions {
  readonly outputs: Outputs
  /** Of the text of all displays together. */
  readonly maxTextLength: number
}

const MAX_BLOCKS = 100
/** A tenant's outputs keep a few times as many. */
const MAX_LINKS = 20
const MAX_IMAGES = 10
const MAX_IMAGES_BYTES = 4 * 1024 * 1024
const MAX_MIME_TYPE_LENGTH = 255

/** Images as images; short texts as text; other forms, and what is over a bound, as resources. A last line counts what is left out. */
export function displayBlocks(displays: readonly Display[], options: DisplayOptions): ContentBlock[] {
  const blocks = new DisplayBlocks(options)
  for (const display of displays) {
    const forms = Object.entries(display)
    const picture = forms.find(([mimeType, data]) => isImage(mimeType) && typeof data !== 'string')
    if (picture) blocks.addImage(...(picture as [string, Uint8Array]))
    else for (const [mimeType, data] of forms) blocks.add(mimeType, data)
  }
  return blocks.end()
}

class DisplayBlocks {
  readonly #blocks: ContentBlock[] = []
  readonly #outputs: Outputs
  #textLeft: number
  #images = 0
  #imagesBytes = 0
  #links = 0
  #leftOut = 0

  constructor({ outputs, maxTextLength }: DisplayOptions) {
    this.#outputs = outputs
    this.#textLeft = maxTextLength
  }

  addImage(mimeType: string, data: Uint8Array): void {
    const isShown =
      this.#images < MAX_IMAGES &&
      this.#imagesBytes + data.length <= MAX_IMAGES_BYTES &&
      this.#blocks.length < MAX_BLOCKS
    if (!isShown) {
      this.#link(mimeType, data)
      return
    }
    this.#images++
    this.#imagesBytes += data.length
    this.#blocks.push(image(data, mimeType))
  }

  add(mimeType: string, data: string | Uint8Array): void {
    const isText = typeof data === 'string' && /^text\/(plain|markdown)$/.test(mimeType)
    if (!isText || data.length > this.#textLeft || this.#blocks.length >= MAX_BLOCKS) {
      this.#link(mimeType, data)
      return
    }
    this.#textLeft -= data.length
    this.#blocks.push(text(data.toWellFormed()))
  }

  end(): ContentBlock[] {
    if (this.#leftOut === 0) return this.#blocks
    const forms = this.#leftOut === 1 ? 'display is' : 'displays are'
    return [...this.#blocks, text(`[… ${this.#leftOut} more ${forms} left out …]`)]
  }

  #link(given: string, data: string | Uint8Array): void {
    if (this.#links === MAX_LINKS || this.#blocks.length >= MAX_BLOCKS) {
      this.#leftOut++
      return
    }
    this.#links++
    const mimeType = given.length <= MAX_MIME_TYPE_LENGTH ? given.toWellFormed() : 'application/octet-stream'
    const uri = this.#outputs.keep(mimeType, data)
    this.#blocks.push(link(uri, shorten(given, MAX_MIME_TYPE_LENGTH), mimeType, data.length))
  }
}
