// Zeroes dead memory of an interpreter, so that neither images nor snapshots contain it: malloc's free memory, both stacks
// beyond their tops, and what is left of deleted interned strings. Owns what counts as dead; malloc.ts knows the layout of
// malloc's heap, interned-strings.ts that of interned strings. It calls nothing and moves no object, so a session does not notice.
import type { Landmarks } from '../../src/shared/image/image.js'
import type { BaseMemory } from './base-memory.js'
import { Clearing } from './clear.js'
import { findInternedStrings, tidyInternedStrings } from './interned-strings.js'
import { findMallocState, visitFree } from './malloc.js'

/** Fields of CPython's thread state: the chunk of memory that holds frames of Python functions, its top and its end. */
const DATA_STACK = { chunk: 0, top: 4, limit: 8, BYTES: 12 } as const
/** `_PyStackChunk`: previous, size, top; then frames. */
const STACK_CHUNK = { size: 4, FRAMES: 12 } as const
const LEAST_STACK_CHUNK_BYTES = 16_384

/** Only between calls, because `stackPointer` is that of an empty stack (I2). `image` is the one that the memory was made from, if any. */
export function wipeDeadMemory(
  heap: Uint8Array,
  landmarks: Landmarks,
  stackPointer: number,
  image?: BaseMemory,
): void {
  const clearing = new Clearing(heap)
  clearing.clear(landmarks.stackLow, stackPointer)
  // A program can have overwritten the structures below. Any that is not plausible is skipped, which makes the snapshot larger.
  visitFree(heap, landmarks.mallocState, (from, to) => clearing.clear(from, to))
  const frames = deadFrames(wordsOf(heap), landmarks.dataStack)
  if (frames) clearing.clear(frames.from, frames.to)
  tidyInternedStrings(heap, landmarks.internedStrings, image)
}

/** Searches memory for structures without an exported address. One that is not found, or found twice, is 0 and will not be wiped. */
export function findLandmarks(memory: Uint8Array, stackLow: number): Landmarks {
  return {
    stackLow,
    mallocState: findMallocState(memory),
    dataStack: findDataStack(memory),
    internedStrings: findInternedStrings(memory),
  }
}

function findDataStack(memory: Uint8Array): number {
  const words = wordsOf(memory)
  let found = 0
  for (let at = 4; at + DATA_STACK.BYTES <= memory.length; at += 4) {
    if (deadFrames(words, at) === undefined) continue
    if (found !== 0) return 0
    found = at
  }
  return found
}

/** The range of memory that frames used which have returned. Undefined if the structure is not plausible. */
function deadFrames(
  words: Uint32Array,
  dataStack: number,
): { readonly from: number; readonly to: number } | undefined {
  const word = (address: number) => words[address / 4] ?? 0
  const end = words.length * 4
  const chunk = word(dataStack + DATA_STACK.chunk)
  if (dataStack === 0 || chunk === 0 || chunk % 4 !== 0) return undefined
  const bytes = word(chunk + STACK_CHUNK.size)
  if (bytes < LEAST_STACK_CHUNK_BYTES || bytes % LEAST_STACK_CHUNK_BYTES !== 0) return undefined
  const from = word(dataStack + DATA_STACK.top)
  const to = word(dataStack + DATA_STACK.limit)
  if (to !== chunk + bytes || to > end) return undefined
  if (from < chunk + STACK_CHUNK.FRAMES || from > to || from % 4 !== 0) return undefined
  return { from, to }
}

function wordsOf(memory: Uint8Array): Uint32Array {
  return new Uint32Array(memory.buffer, memory.byteOffset, Math.floor(memory.length / 4))
}
