// A library's functions, rewritten for the merged modules. Owns which of them set up a library: the builder calls these once, and in slots
// they trap. The start function traps in both.
import { concatenate, KIND, unsigned } from '../wasm/encoding.js'
import { ByteWriter } from './byte-writer.js'
import { FunctionBodies } from './function-body.js'
import { quote, Unlinkable } from './link-error.js'
import type { LinkedLibrary } from './program.js'

/** Functions that wasm-ld exports for the dynamic linker to call. */
export const SETUP = { relocate: '__wasm_apply_data_relocs', construct: '__wasm_call_ctors' } as const

export interface LibraryCode {
  /** How many functions there are. */
  readonly count: number
  /** Concatenated bodies, each with its length. */
  readonly bytes: Uint8Array
  /** Merged numbers of the setup functions. */
  readonly setup: ReadonlyMap<keyof typeof SETUP, number>
  /** Where `bytes` has the setup functions, in order. */
  readonly setupRanges: readonly Range[]
}

interface Range {
  readonly from: number
  readonly to: number
}

/** The body of a function that traps: no locals, `unreachable`. */
const TRAP = Uint8Array.of(0, 0x00, 0x0b)
/** The same body with its length. */
export const TRAPPING_BODY: Uint8Array = concatenate([unsigned(TRAP.length), TRAP])

/**
 * @param globals - value of each global
 * @param stackPointer - the stack pointer's number in the merged module
 * @param declared - receives the functions that `ref.func` names
 */
export function rewriteCode(
  library: LinkedLibrary,
  globals: Int32Array,
  stackPointer: number,
  declared: Set<number>,
): LibraryCode {
  const { module, functions, types, tags } = library
  const imported = module.functionImports.length
  const stackPointers = new Set(
    module.globals.flatMap(({ role }, index) => (role === 'stack-pointer' ? [index] : [])),
  )
  const body = new ByteWriter()
  const bodies = new FunctionBodies(
    body,
    { functions, types, tags, globals, stackPointers, stackPointer },
    declared,
  )
  const setup = setupFunctions(library)
  const setupIndices = new Set(setup.values())
  const setupRanges: Range[] = []
  const all = new ByteWriter()
  for (const [i, bytes] of module.bodies.entries()) {
    const index = imported + i
    const from = all.length
    body.clear()
    if (index === module.start) body.copy(TRAP, 0, TRAP.length)
    else bodies.append(bytes)
    all.u32(body.length)
    all.copy(body.view, 0, body.length)
    if (setupIndices.has(index)) setupRanges.push({ from, to: all.length })
  }
  const merged = [...setup].map(([what, index]) => [what, functions[index] ?? 0] as const)
  return { count: module.bodies.length, bytes: all.view.slice(), setup: new Map(merged), setupRanges }
}

/** The same bodies, except that setup functions trap. */
export function withoutSetup({ bytes, setupRanges }: LibraryCode): Uint8Array[] {
  const parts: Uint8Array[] = []
  let at = 0
  for (const { from, to } of setupRanges) {
    parts.push(bytes.subarray(at, from), TRAPPING_BODY)
    at = to
  }
  return [...parts, bytes.subarray(at)]
}

/** The library's own numbers of the setup functions. */
function setupFunctions({ module }: LinkedLibrary): Map<keyof typeof SETUP, number> {
  const found = new Map<keyof typeof SETUP, number>()
  for (const what of ['relocate', 'construct'] as const) {
    const item = module.exports.get(SETUP[what])
    if (item?.kind !== KIND.function) continue
    const type = module.types[module.typesOfFunctions[item.index] ?? -1]
    const isPlain = type !== undefined && type.parameters.length + type.results.length === 0
    if (item.index < module.functionImports.length || !isPlain)
      throw new Unlinkable(`its function ${quote(item.name)} is imported, or takes or returns something`)
    found.set(what, item.index)
  }
  return found
}
