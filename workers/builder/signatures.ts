// The codes that tell the trampoline how to call each function of the table. Owns the translation from signatures;
// workers/interpreter/trampoline.ts uses the codes.
import { TRAMPOLINE_CODE } from '../interpreter/trampoline.js'
import type { FunctionType } from '../wasm/module.js'

const I32 = 0x7f
const MOST_PARAMETERS = 3

export function trampolineCodes(signatures: readonly (FunctionType | undefined)[]): Uint8Array {
  return Uint8Array.from(signatures, (signature) => {
    if (signature === undefined) return TRAMPOLINE_CODE.unsupported
    const { parameters, results } = signature
    const callable =
      parameters.length <= MOST_PARAMETERS &&
      results.length <= 1 &&
      [...parameters, ...results].every((type) => type === I32)
    if (!callable) return TRAMPOLINE_CODE.unsupported
    return parameters.length + (results.length === 0 ? TRAMPOLINE_CODE.returnsNothing : 0)
  })
}

const NUMBERS: readonly number[] = [0x7f, 0x7e, 0x7d, 0x7c]

/** One bit per entry of the table, lowest first: whether the function takes only numbers, and returns a number or nothing. */
export function callableEntries(signatures: readonly (FunctionType | undefined)[]): Uint8Array<ArrayBuffer> {
  const bits = new Uint8Array(Math.ceil(signatures.length / 8))
  for (const [index, signature] of signatures.entries()) {
    if (signature === undefined || signature.results.length > 1) continue
    if (![...signature.parameters, ...signature.results].every((type) => NUMBERS.includes(type))) continue
    bits[index >>> 3] = (bits[index >>> 3] ?? 0) | (1 << (index & 7))
  }
  return bits
}
