// Native libraries of an image's packages. Their code is part of the image's single module, so dlopen and dlsym only look up names and
// keep no state outside memory (I1). Owns these two imports and their error messages; foreign-calls.ts owns calls by address.
import type { ImageLibrary } from '../../src/shared/image/image.js'
import type { BoundExports } from './bound-exports.js'
import type { ImportFunction } from './guard.js'
import type { GuestMemory } from './guest-memory.js'

/** Offset of the name in the C library's record of an open library (struct dso). */
const DSO_NAME = 36
const NOT_FOUND = 0
const FOUND = 1
/** Most characters of a name that a message shows. */
const MAX_SHOWN = 200

/** The libraries of one image, by path. Names are byte strings, like those in the guest's memory. */
export class Libraries {
  readonly #libraries: readonly ImageLibrary[]
  #symbols: ReadonlyMap<string, ReadonlyMap<string, number>> | undefined

  constructor(libraries: readonly ImageLibrary[]) {
    this.#libraries = libraries
  }

  has(path: string): boolean {
    return this.#byPath.has(path)
  }

  find(path: string, symbol: string): number | undefined {
    return this.#byPath.get(path)?.get(symbol)
  }

  /** Built on first use, because most sessions open no library. */
  get #byPath(): ReadonlyMap<string, ReadonlyMap<string, number>> {
    this.#symbols ??= new Map(
      this.#libraries.map(({ path, symbols }) => [
        bytesOf(path),
        new Map(symbols.map(([name, value]) => [bytesOf(name), value])),
      ]),
    )
    return this.#symbols
  }
}

export interface LibraryContext {
  readonly memory: GuestMemory
  readonly libraries: Libraries | undefined
  readonly exports: Pick<BoundExports, '__dl_seterr' | 'emscripten_builtin_memalign' | 'free'> | undefined
}

export function libraryImports(context: LibraryContext): Readonly<Record<string, ImportFunction>> {
  const { memory } = context
  const nameOf = (library: number) => memory.path((library >>> 0) + DSO_NAME)
  return {
    _dlopen_js: (library: number) => {
      if (context.libraries === undefined) return NOT_FOUND
      const path = nameOf(library)
      if (context.libraries.has(path)) return FOUND
      setError(
        context,
        `${shown(path)}: sessions can load only the native libraries of their image’s packages`,
      )
      return NOT_FOUND
    },
    _dlsym_js: (library: number, symbol: number) => {
      if (context.libraries === undefined) return NOT_FOUND
      const [path, name] = [nameOf(library), memory.path(symbol)]
      const value = context.libraries.find(path, name)
      if (value !== undefined) return value
      setError(context, `${shown(path)}: symbol ${shown(name)} not found`)
      return NOT_FOUND
    },
  }
}

/** Sets the text of the next dlerror(). If there is no memory for it, the C library's own text stays. */
function setError({ memory, exports }: LibraryContext, text: string): void {
  if (exports?.__dl_seterr === undefined) return
  const message = `${bytesOf(text)}\0`
  // Layout: the variadic arguments (one pointer to the message), the format, the message.
  const room = exports.emscripten_builtin_memalign(4, 8 + message.length) >>> 0
  if (room === 0) return
  memory.setU32(room, room + 8)
  memory.setText(room + 4, '%s\0\0')
  memory.setText(room + 8, message)
  exports.__dl_seterr(room + 4, room)
  exports.free(room)
}

/** Makes a name that the guest chose safe to show: every byte that is not printable ASCII becomes a question mark. */
function shown(name: string): string {
  let text = ''
  for (let at = 0; at < Math.min(name.length, MAX_SHOWN); at += 1) {
    const code = name.charCodeAt(at)
    text += code >= 0x20 && code < 0x7f ? name[at] : '?'
  }
  return name.length > MAX_SHOWN ? `${text}…` : text
}

function bytesOf(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1')
}
