// Growth of the interpreter's memory: the only way in which it becomes larger. Owns the limit and the peak;
// guest-memory.ts owns reading and writing.
import type { MemoryBudget } from '../memory/budget.js'
import { WASM_PAGE_BYTES } from './abi.js'
import type { BoundExports } from './bound-exports.js'
import type { ImportFunction } from './guard.js'
import type { GuestMemory } from './guest-memory.js'

/** All that 32-bit pointers can address, less one page, so that the size itself fits a u32. */
const LARGEST_MEMORY_BYTES = 2 ** 32 - WASM_PAGE_BYTES
/** Growth adds up to an eighth of the memory to what was asked for, within these bounds: growing is expensive, untouched pages are not. */
const EXTRA_SHARE = 8
const MAX_EXTRA_BYTES = 16 * 1024 * 1024

const CLOSURE_ALIGNMENT = 16
const NULL_FUNCTION = 0

export class MemoryGrowth {
  readonly #memory: GuestMemory
  readonly #budget: MemoryBudget
  /** Null: only the module's own limit applies. */
  maxBytes: number | null = null
  #grow: ((pages: number) => number) | undefined
  #peakBytes = 0

  constructor(memory: GuestMemory, budget: MemoryBudget) {
    this.#memory = memory
    this.#budget = budget
  }

  bind(memory: WebAssembly.Memory): void {
    this.#grow = (pages) => memory.grow(pages)
    this.#peakBytes = memory.buffer.byteLength
  }

  get bytes(): number {
    return this.#memory.bytes.length
  }

  get peakBytes(): number {
    return Math.max(this.#peakBytes, this.bytes)
  }

  /** The largest size that memory may reach, a whole number of pages. */
  get limitBytes(): number {
    const limit = Math.min(this.maxBytes ?? LARGEST_MEMORY_BYTES, LARGEST_MEMORY_BYTES)
    return Math.max(0, Math.floor(limit / WASM_PAGE_BYTES) * WASM_PAGE_BYTES)
  }

  /** Returns false if memory may not or cannot grow: the interpreter then raises MemoryError. */
  growTo(wantedBytes: number): boolean {
    const present = this.bytes
    if (wantedBytes <= present) return true
    const limit = this.limitBytes
    if (wantedBytes > limit || this.#grow === undefined) return false
    const generous = Math.min(limit, wantedBytes + Math.min(MAX_EXTRA_BYTES, present / EXTRA_SHARE))
    const grown = this.#growBy(generous - present) || this.#growBy(wantedBytes - present)
    this.#peakBytes = Math.max(this.#peakBytes, this.bytes)
    return grown
  }

  /** Makes room for a snapshot's memory. The caller has checked the session's limit. */
  reserve(bytes: number): boolean {
    const missing = bytes - this.bytes
    return missing <= 0 || this.#growBy(missing)
  }

  #growBy(bytes: number): boolean {
    const pages = Math.ceil(bytes / WASM_PAGE_BYTES)
    if (!this.#budget.take(pages * WASM_PAGE_BYTES)) return false
    try {
      this.#grow?.(pages)
      return true
    } catch (error) {
      this.#budget.release(pages * WASM_PAGE_BYTES)
      // The engine refused: no address space left, or more than the module declares.
      if (error instanceof RangeError) return false
      throw error
    }
  }
}

export interface GrowthContext {
  readonly memory: GuestMemory
  readonly growth: MemoryGrowth
  readonly exports: Pick<BoundExports, 'emscripten_builtin_memalign' | 'free'> | undefined
}

export function memoryImports(context: GrowthContext): Readonly<Record<string, ImportFunction>> {
  const { growth, memory } = context
  return {
    emscripten_resize_heap: (size: number) => (growth.growTo(size >>> 0) ? 1 : 0),
    emscripten_get_heap_max: () => growth.limitBytes,
    // libffi keeps the address of a closure's code in the closure's first word, and returns it to the caller as well.
    ffi_closure_alloc_js: (size: number, code: number) => {
      memory.range(code, 4)
      const closure = context.exports?.emscripten_builtin_memalign(CLOSURE_ALIGNMENT, size) ?? 0
      if (closure === 0) return 0
      memory.setU32(closure, NULL_FUNCTION)
      memory.setU32(code, NULL_FUNCTION)
      return closure
    },
    ffi_closure_free_js: (closure: number) => {
      context.exports?.free(closure)
    },
  }
}
