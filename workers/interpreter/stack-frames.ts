// Gives a function of a WebAssembly binary a frame on the C stack. Owns that one rewrite. CPython measures recursion depth by the C stack
// pointer, so it cannot see recursion through a function that keeps everything in WebAssembly locals.
import { Cursor } from '../wasm/cursor.js'
import {
  concatenate,
  KIND,
  PREAMBLE_BYTES,
  SECTION,
  section,
  sections,
  signed,
  unsigned,
  vector,
} from '../wasm/encoding.js'
import { readWasm } from './wasm-binary.js'

const OP = {
  end: 0x0b,
  call: 0x10,
  localGet: 0x20,
  globalGet: 0x23,
  globalSet: 0x24,
  i32Const: 0x41,
  i32Add: 0x6a,
} as const
const NO_LOCALS = 0

/**
 * Returns the same code, but every call of the exported function `name` takes `frameBytes` (a multiple of 16) of C stack. The original
 * becomes a new function at the end, and a wrapper takes its place, so that all other indexes stay.
 */
export function withStackFrame(bytes: Uint8Array, name: string, frameBytes: number): Uint8Array<ArrayBuffer> {
  const parts = new Map(sections(bytes).map(({ id, content }) => [id, content]))
  const exports = part(parts, SECTION.export)
  const target = exportedIndex(exports, name, KIND.function)
  const stackPointer = exportedIndex(exports, '__stack_pointer', KIND.global)
  const { typesOfFunctions, types } = readWasm(bytes)
  const typeIndex = typesOfFunctions[target] ?? -1
  const parameters = types[typeIndex]?.parameters.length ?? 0
  const added = typesOfFunctions.length

  const moveStack = (by: number) => [
    ...[OP.globalGet, ...unsigned(stackPointer), OP.i32Const, ...signed(by), OP.i32Add],
    ...[OP.globalSet, ...unsigned(stackPointer)],
  ]
  const code = [NO_LOCALS, ...moveStack(-frameBytes)]
  for (let i = 0; i < parameters; i++) code.push(OP.localGet, ...unsigned(i))
  code.push(OP.call, ...unsigned(added), ...moveStack(frameBytes), OP.end)
  const wrapper = concatenate([unsigned(code.length), Uint8Array.from(code)])

  const functions = vectorParts(part(parts, SECTION.function), (cursor) => cursor.u32())
  const imported = added - functions.length
  const bodies = vectorParts(part(parts, SECTION.code), (cursor) => cursor.take(cursor.u32()))
  const original = bodies[target - imported]
  if (original === undefined) throw new Error(`the module imports ${name}`)
  bodies[target - imported] = wrapper
  const rewritten = new Map<number, readonly Uint8Array[]>([
    [SECTION.function, [...functions, unsigned(typeIndex)]],
    [SECTION.code, [...bodies, original]],
  ])
  const result: Uint8Array[] = [bytes.subarray(0, PREAMBLE_BYTES)]
  for (const { id, whole } of sections(bytes)) {
    const items = rewritten.get(id)
    result.push(items === undefined ? whole : section(id, vector(items)))
  }
  return concatenate(result)
}

function part(parts: ReadonlyMap<number, Uint8Array>, id: number): Uint8Array {
  const content = parts.get(id)
  if (content === undefined) throw new Error(`the WebAssembly binary has no section ${id}`)
  return content
}

/** The encoded items of a section that consists of one vector. */
function vectorParts(content: Uint8Array, skip: (cursor: Cursor) => unknown): Uint8Array[] {
  const cursor = new Cursor(content)
  const items: Uint8Array[] = []
  cursor.times(() => {
    const start = cursor.at
    skip(cursor)
    items.push(cursor.since(start))
  })
  return items
}

function exportedIndex(content: Uint8Array, name: string, kind: number): number {
  const cursor = new Cursor(content)
  let found: number | undefined
  cursor.times(() => {
    const isIt = new TextDecoder().decode(cursor.take(cursor.u32())) === name
    const isKind = cursor.byte() === kind
    const index = cursor.u32()
    if (isIt && isKind) found = index
  })
  if (found === undefined) throw new Error(`the module does not export ${name}`)
  return found
}
