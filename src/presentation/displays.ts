// What code has displayed, as images, texts and other types. Owns how many of each a model or a client gets, and the total length of the
// texts.
import type { Display } from '../shared/display.js'
import { type ImageMimeType, isImage } from './media-types.js'

export type DisplayPart =
  | { readonly kind: 'image'; readonly mimeType: ImageMimeType; readonly data: Uint8Array }
  | { readonly kind: 'text'; readonly text: string }
  /** Any other type, or data over a limit. Python code chose the MIME type. */
  | { readonly kind: 'other'; readonly mimeType: string; readonly data: string | Uint8Array }

const MAX_PARTS = 100
/** Limit for parts that are neither image nor text. */
const MAX_OTHERS = 20
const MAX_IMAGES = 10
const MAX_IMAGES_BYTES = 4 * 1024 * 1024

/**
 * Images and short texts become parts of that kind; anything else is passed on unchanged. If parts are left out, the last one counts them.
 *
 * @param maxTextLength limit for the texts of all displays together
 */
export function displayParts(displays: readonly Display[], maxTextLength: number): DisplayPart[] {
  const parts = new DisplayParts(maxTextLength)
  for (const display of displays) {
    const image = imageOf(display)
    if (image) parts.addImage(...image)
    else for (const [mimeType, data] of Object.entries(display)) parts.add(mimeType, data)
  }
  return parts.end()
}

/** A display's image, with its MIME type, if it has one. */
export function imageOf(display: Display): [ImageMimeType, Uint8Array] | undefined {
  for (const [mimeType, data] of Object.entries(display))
    if (isImage(mimeType) && typeof data !== 'string') return [mimeType, data]
  return undefined
}

class DisplayParts {
  readonly #parts: DisplayPart[] = []
  #textLeft: number
  #images = 0
  #imagesBytes = 0
  #others = 0
  #leftOut = 0

  constructor(maxTextLength: number) {
    this.#textLeft = maxTextLength
  }

  addImage(mimeType: ImageMimeType, data: Uint8Array): void {
    const isShown =
      this.#images < MAX_IMAGES &&
      this.#imagesBytes + data.length <= MAX_IMAGES_BYTES &&
      this.#parts.length < MAX_PARTS
    if (!isShown) {
      this.#addOther(mimeType, data)
      return
    }
    this.#images++
    this.#imagesBytes += data.length
    this.#parts.push({ kind: 'image', mimeType, data })
  }

  add(mimeType: string, data: string | Uint8Array): void {
    const isText = typeof data === 'string' && /^text\/(plain|markdown)$/.test(mimeType)
    if (!isText || data.length > this.#textLeft || this.#parts.length >= MAX_PARTS) {
      this.#addOther(mimeType, data)
      return
    }
    this.#textLeft -= data.length
    this.#parts.push({ kind: 'text', text: data.toWellFormed() })
  }

  end(): DisplayPart[] {
    if (this.#leftOut === 0) return this.#parts
    const are = this.#leftOut === 1 ? 'display is' : 'displays are'
    return [...this.#parts, { kind: 'text', text: `[… ${this.#leftOut} more ${are} left out …]` }]
  }

  #addOther(mimeType: string, data: string | Uint8Array): void {
    if (this.#others === MAX_OTHERS || this.#parts.length >= MAX_PARTS) {
      this.#leftOut++
      return
    }
    this.#others++
    this.#parts.push({ kind: 'other', mimeType, data })
  }
}
