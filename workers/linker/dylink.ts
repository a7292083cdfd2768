// The section `dylink.0` of a side module: what it needs from a dynamic linker. Owns its encoding. The conventions are those of
// https://github.com/WebAssembly/tool-conventions/blob/main/DynamicLinking.md.
import { type Allowance, Cursor } from '../wasm/cursor.js'
import { LIMITS } from './limits.js'
import { Unlinkable } from './link-error.js'

export interface Dylink {
  readonly memoryBytes: number
  /** A power of two, in bytes. */
  readonly memoryAlignment: number
  readonly tableEntries: number
  /** A power of two, in entries. */
  readonly tableAlignment: number
  /** File names of the libraries that it needs. */
  readonly needed: readonly string[]
  /** Folders in which to look for them, beginning with `$ORIGIN` if relative to the library. */
  readonly runtimePaths: readonly string[]
  /** Imports that may be missing. */
  readonly weak: ReadonlySet<string>
  /** Exported addresses that are not relative to the library's memory. */
  readonly absolute: ReadonlySet<string>
  /** Exported addresses in thread-local memory. */
  readonly threadLocal: ReadonlySet<string>
}

const PART = { memoryAndTable: 1, needed: 2, exports: 3, imports: 4, runtimePaths: 5 } as const
const FLAG = { bindingMask: 3, weak: 1, threadLocal: 0x100, absolute: 0x200 } as const

export function readDylink(content: Uint8Array, allowance: Allowance): Dylink {
  const dylink = {
    memoryBytes: 0,
    memoryAlignment: 1,
    tableEntries: 0,
    tableAlignment: 1,
    needed: [] as string[],
    runtimePaths: [] as string[],
    weak: new Set<string>(),
    absolute: new Set<string>(),
    threadLocal: new Set<string>(),
  }
  const parts = new Cursor(content, allowance)
  while (!parts.done) {
    const part = parts.byte()
    allowance.take(1)
    const cursor = new Cursor(parts.take(parts.u32()), allowance)
    if (part === PART.memoryAndTable) {
      dylink.memoryBytes = cursor.u32()
      dylink.memoryAlignment = alignment(cursor.u32())
      dylink.tableEntries = cursor.u32()
      dylink.tableAlignment = alignment(cursor.u32())
    } else if (part === PART.needed) readPaths(cursor, dylink.needed)
    else if (part === PART.runtimePaths) readPaths(cursor, dylink.runtimePaths)
    else if (part === PART.exports)
      cursor.times(() => {
        const name = cursor.name()
        const flags = cursor.u32()
        if ((flags & FLAG.threadLocal) !== 0) dylink.threadLocal.add(name)
        if ((flags & FLAG.absolute) !== 0) dylink.absolute.add(name)
      })
    else if (part === PART.imports)
      cursor.times(() => {
        cursor.name()
        const name = cursor.name()
        if ((cursor.u32() & FLAG.bindingMask) === FLAG.weak) dylink.weak.add(name)
      })
  }
  return dylink
}

function alignment(exponent: number): number {
  if (exponent > LIMITS.alignmentExponent)
    throw new Unlinkable(
      `it needs an alignment of 2 ** ${exponent}; at most 2 ** ${LIMITS.alignmentExponent} is supported`,
    )
  return 2 ** exponent
}

function readPaths(cursor: Cursor, into: string[]): void {
  cursor.times(() => {
    const path = cursor.name()
    if (path.length > LIMITS.pathLength || into.length === LIMITS.neededLibraries)
      throw new Unlinkable('it names too many needed libraries or runtime paths, or too long ones')
    into.push(path)
  })
}
