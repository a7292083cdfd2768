// Writes the merged module: the interpreter's, with the libraries' types, functions and table entries added. Owns the order of its parts.
// Leaves out data, custom sections and start functions, because memory comes from the image.
import { coreExports } from '../interpreter/wasm-binary.js'
import { Cursor } from '../wasm/cursor.js'
import { concatenate, exportEntry, KIND, SECTION, unsigned, vector } from '../wasm/encoding.js'
import { TRAPPING_BODY } from './library-code.js'
import type { Program } from './program.js'

export interface AddedCode {
  /** All functions of the libraries, in order: bodies with their lengths, in parts of any size. */
  readonly bodies: readonly Uint8Array[]
  /** How many functions those are. */
  readonly count: number
  /** Additional exports: merged numbers of functions, by name. */
  readonly functionExports: ReadonlyMap<string, number>
  /** Functions that have to be declared because `ref.func` names them. */
  readonly declared: ReadonlySet<number>
}

const PREAMBLE = Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00)

export function mergedModuleBytes(
  program: Program,
  keep: readonly string[],
  { bodies, count, functionExports, declared }: AddedCode,
): Uint8Array<ArrayBuffer> {
  const { main, types, table, typesOfFunctions, stubCount } = program
  const part = (id: number) => main.sections.get(id) ?? Uint8Array.of(0)
  const exports = [...functionExports].map(([name, index]) => exportEntry(name, KIND.function, index))
  const added = typesOfFunctions.slice(main.module.typesOfFunctions.length)
  const stubs = new Array<Uint8Array>(stubCount).fill(TRAPPING_BODY)
  // In the order that the format requires.
  const contents: readonly (readonly [id: number, content: readonly Uint8Array[]])[] = [
    [SECTION.type, [vector(types.encoded())]],
    [SECTION.import, [part(SECTION.import)]],
    [SECTION.function, extendedBy(part(SECTION.function), added.map(unsigned))],
    [SECTION.table, [tableSection(part(SECTION.table), table.end)]],
    [SECTION.memory, [part(SECTION.memory)]],
    [SECTION.tag, [part(SECTION.tag)]],
    [SECTION.global, [part(SECTION.global)]],
    [SECTION.export, [vector([...coreExports(main.module, keep), ...exports])]],
    [SECTION.element, extendedBy(part(SECTION.element), table.segments(declared))],
    [SECTION.code, extended(part(SECTION.code), count + stubCount, [...bodies, ...stubs])],
  ]
  const parts = contents.flatMap(([id, content]) => {
    const length = content.reduce((sum, { length }) => sum + length, 0)
    return [Uint8Array.of(id), unsigned(length), ...content]
  })
  return concatenate([PREAMBLE, ...parts])
}

/** Appends `count` items to a vector. They are given in parts of any size. */
function extended(content: Uint8Array, count: number, items: readonly Uint8Array[]): Uint8Array[] {
  const cursor = new Cursor(content)
  const before = cursor.u32()
  return [unsigned(before + count), content.subarray(cursor.at), ...items]
}

function extendedBy(content: Uint8Array, items: readonly Uint8Array[]): Uint8Array[] {
  return extended(content, items.length, items)
}

/** The same tables, the first with `length` entries. Its maximum is left out, because only the host can grow it. */
function tableSection(content: Uint8Array, length: number): Uint8Array {
  const cursor = new Cursor(content)
  const count = cursor.u32()
  const type = cursor.byte()
  const hasMaximum = cursor.byte() === 1
  cursor.u32()
  if (hasMaximum) cursor.u32()
  return concatenate([unsigned(count), Uint8Array.of(type, 0), unsigned(length), content.subarray(cursor.at)])
}
