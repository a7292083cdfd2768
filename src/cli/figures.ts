// Shows in a terminal what Python displays: images are saved to files. Owns the files' names, and what is printed for a display.
import { access, constants, mkdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import type { Display } from '../shared/display.js'
import { messageOf } from '../shared/thrown.js'

const ENDINGS: readonly (readonly [type: string, ending: string])[] = [
  ['image/png', 'png'],
  ['image/svg+xml', 'svg'],
  ['image/jpeg', 'jpg'],
  ['image/gif', 'gif'],
  ['image/webp', 'webp'],
  ['application/pdf', 'pdf'],
]

/** Limit for saved files, so that a loop that displays images cannot fill the disk. */
const MAX_FILES = 1_000

export type DisplayText =
  /** A line written by the program itself. */
  | { readonly kind: 'note'; readonly text: string }
  /** Text that Python would have printed. */
  | { readonly kind: 'output'; readonly text: string }

export class Figures {
  readonly #given: string | undefined
  #directory: Promise<string> | undefined
  #number = 0
  #saved = 0

  /** @param directory - created if missing. Undefined: the current directory, or a temporary one if that is not writable */
  constructor(directory: string | undefined) {
    this.#given = directory
  }

  /** Saves an image. Undefined if there is nothing to print: the repr of a value with rich forms is printed elsewhere. */
  async show(display: Display): Promise<DisplayText | undefined> {
    const [type, ending] = ENDINGS.find(([name]) => display[name] !== undefined) ?? []
    if (type !== undefined && ending !== undefined)
      return { kind: 'note', text: await this.#save(display[type] ?? '', ending) }
    const text = display['text/plain']
    return typeof text === 'string' ? { kind: 'output', text } : undefined
  }

  async #save(content: string | Uint8Array, ending: string): Promise<string> {
    if (this.#saved >= MAX_FILES) return `an image was not saved: there are ${MAX_FILES} already`
    try {
      this.#directory ??= usableDirectory(this.#given)
      const directory = await this.#directory
      const path = await this.#write(directory, content, ending)
      this.#saved++
      return `image saved: ${path}`
    } catch (error) {
      return `an image could not be saved: ${messageOf(error, 'for an unknown reason')}`
    }
  }

  /** Takes the next free number, so that no file is overwritten. */
  async #write(directory: string, content: string | Uint8Array, ending: string): Promise<string> {
    for (;;) {
      const path = join(directory, `figure-${++this.#number}.${ending}`)
      try {
        await writeFile(path, content, { flag: 'wx' })
        const short = relative('', path)
        return short === '' || short.startsWith('..') ? path : short
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      }
    }
  }
}

async function usableDirectory(given: string | undefined): Promise<string> {
  if (given !== undefined) {
    await mkdir(given, { recursive: true })
    return given
  }
  const current = process.cwd()
  return access(current, constants.W_OK).then(
    () => current,
    () => tmpdir(),
  )
}
