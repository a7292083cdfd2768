// Writes the merged module: the interpreter's with the libraries' types, functions and table entries added. Owns the order of its parts. Data,
// custom sections and start functions are left out; memory comes from the image.
import { coreExports } from '../interpreter/wasm-binary.js'
import { Cursor } from '../wasm/cursor.js'
import { concatenate, exportEntry, KIND, SECTION, unsigned, vector } from '../wasm/encoding.js'
import type { Program } from './program.js'

/** A library's functions as the merged module has them. */
export interface LibraryCode {
  /** How many functions. */
  readonly count: number
  /** Bodies with their lengths, one after the other. */
  readonly bytes: Uint8Array
  /** Merged numbers of the functions that are called once, by their exported names. */
  readonly setup: ReadonlyMap<string, number>
  /** Where those lie in `bytes`, in order. */
  readonly setupRanges: readonly { readonly from: number; readonly to: number }[]
}

type Code = readonly LibraryCode[]

/** @param setup - exports to add: names and merged numbers of functions */
export function builderModuleBytes(
  program: Program,
  keep: readonly string[],
  code: Code,
  declared: ReadonlySet<number>,
  setup: readonly (readonly [name: string, index: number])[],
): Uint8Array<ArrayBuffer> {
  const exports = setup.map(([name, index]) => exportEntry(name, KIND.function, index))
  return moduleBytes(
    program,
    keep,
    code.flatMap(({ bytes }) => [bytes]),
    code,
    declared,
    exports,
  )
}

export function slotModuleBytes(
  program: Program,
  keep: readonly string[],
  code: Code,
  declared: ReadonlySet<number>,
): Uint8Array<ArrayBuffer> {
  return moduleBytes(program, keep, code.flatMap(withoutSetup), code, declared, [])
}

/** A body: no locals, `unreachable`. */
export const TRAP = Uint8Array.of(0, 0x00, 0x0b)
const TRAPPING_BODY = concatenate([unsigned(TRAP.length), TRAP])

function withoutSetup({ bytes, setupRanges }: LibraryCode): Uint8Array[] {
  const parts: Uint8Array[] = []
  let at = 0
  for (const { from, to } of setupRanges) {
    parts.push(bytes.subarray(at, from), TRAPPING_BODY)
    at = to
  }
  return [...parts, bytes.subarray(at)]
}

/** Sections that stay as they are in the interpreter's module, and those that grow, in the order that the format wants. */
const ORDER = [
  ...[
    SECTION.type,
    SECTION.import,
    SECTION.function,
    SECTION.table,
    SECTION.memory,
    SECTION.tag,
    SECTION.global,
  ],
  ...[SECTION.export, SECTION.start, SECTION.element, SECTION.code],
]

function moduleBytes(
  program: Program,
  keep: readonly string[],
  bodies: readonly Uint8Array[],
  code: Code,
  declared: ReadonlySet<number>,
  exports: readonly Uint8Array[],
): Uint8Array<ArrayBuffer> {
  const { main } = program
  const stubs = new Array<Uint8Array>(program.stubCount).fill(TRAPPING_BODY)
  const functionCount = code.reduce((sum, { count }) => sum + count, stubs.length)
  const types = program.typesOfFunctions
  const written = new Map<number, () => Uint8Array[]>([
    [SECTION.type, () => [vector(program.types.encoded())]],
    [
      SECTION.function,
      () => [
        extended(
          main.sections.get(SECTION.function),
          types.slice(main.module.typesOfFunctions.length).map(unsigned),
        ),
      ],
    ],
    [SECTION.table, () => [tableSection(main.sections.get(SECTION.table), program.table.end)]],
    [SECTION.export, () => [vector([...coreExports(main.module, keep), ...exports])]],
    [SECTION.element, () => [extended(main.sections.get(SECTION.element), program.table.segments(declared))]],
    [SECTION.code, () => codeSection(main.sections.get(SECTION.code), functionCount, [...bodies, ...stubs])],
  ])
  const parts: Uint8Array[] = [PREAMBLE]
  for (const id of ORDER) {
    const content =
      written.get(id)?.() ?? (main.sections.has(id) ? [main.sections.get(id) as Uint8Array] : [])
    if (content.length === 0) continue
    const length = content.reduce((sum, part) => sum + part.length, 0)
    parts.push(Uint8Array.of(id), unsigned(length), ...content)
  }
  return concatenate(parts)
}
const PREAMBLE = Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00)

/** A section that is one vector, with items added. */
function extended(content: Uint8Array | undefined, items: readonly Uint8Array[]): Uint8Array {
  if (content === undefined) return vector(items)
  const cursor = new Cursor(content)
  const count = cursor.u32()
  return concatenate([unsigned(count + items.length), content.subarray(cursor.at), ...items])
}

function codeSection(
  content: Uint8Array | undefined,
  added: number,
  bodies: readonly Uint8Array[],
): Uint8Array[] {
  const cursor = new Cursor(content ?? Uint8Array.of(0))
  const count = cursor.u32()
  return [unsigned(count + added), (content ?? Uint8Array.of(0)).subarray(cursor.at), ...bodies]
}

/** The same tables, the first with room for `length` entries. Its maximum is left out: only the host can make it grow. */
function tableSection(content: Uint8Array | undefined, length: number): Uint8Array {
  if (content === undefined) throw new Error('the main module has no table')
  const cursor = new Cursor(content)
  const count = cursor.u32()
  const type = cursor.byte()
  const hasMaximum = cursor.byte() === 1
  cursor.u32()
  if (hasMaximum) cursor.u32()
  return concatenate([unsigned(count), Uint8Array.of(type, 0), unsigned(length), content.subarray(cursor.at)])
}
