// The operands of each opcode in a function's body, and what linking does with them. Owns the table, and which instructions are refused in
// libraries: those that change state other than memory, and those that cannot be combined with the interpreter's module.

/** How the operands of an opcode are read. */
export const OPERANDS = {
  refused: 0,
  none: 1,
  /** One number that does not change: a label, a local, a constant. */
  number: 2,
  /** Alignment and offset. */
  memory: 3,
  fourBytes: 4,
  eightBytes: 5,
  /** A zero byte: the memory index. */
  zero: 6,
  block: 7,
  labels: 8,
  /** A count, then value types. */
  types: 9,
  heapType: 10,
  function: 11,
  /** A type, then a table. */
  indirect: 12,
  tag: 13,
  globalGet: 14,
  globalSet: 15,
  bulk: 16,
  vector: 17,
  atomic: 18,
  /** Two zero bytes: the memory indexes of `memory.copy`. */
  twoZeros: 19,
  sixteenBytes: 20,
  lane: 21,
  memoryAndLane: 22,
} as const
export type Operands = (typeof OPERANDS)[keyof typeof OPERANDS]

type Ranges = readonly (readonly [from: number, to: number, operands: Operands])[]

function table(size: number, ranges: Ranges): Uint8Array {
  const operands = new Uint8Array(size)
  for (const [from, to, kind] of ranges) operands.fill(kind, from, to + 1)
  return operands
}

const _ = OPERANDS

/** Operands by opcode. */
export const OPCODES: Uint8Array = table(256, [
  [0x00, 0x01, _.none], // unreachable, nop
  [0x02, 0x04, _.block], // block, loop, if
  [0x05, 0x05, _.none], // else
  [0x06, 0x06, _.block], // try
  [0x07, 0x08, _.tag], // catch, throw
  [0x09, 0x09, _.number], // rethrow
  [0x0b, 0x0b, _.none], // end
  [0x0c, 0x0d, _.number], // br, br_if
  [0x0e, 0x0e, _.labels], // br_table
  [0x0f, 0x0f, _.none], // return
  [0x10, 0x10, _.function], // call
  [0x11, 0x11, _.indirect], // call_indirect
  [0x12, 0x12, _.function], // return_call
  [0x13, 0x13, _.indirect], // return_call_indirect
  [0x18, 0x18, _.number], // delegate
  [0x19, 0x1b, _.none], // catch_all, drop, select
  [0x1c, 0x1c, _.types], // select with types
  [0x20, 0x22, _.number], // local.get, local.set, local.tee
  [0x23, 0x23, _.globalGet],
  [0x24, 0x24, _.globalSet],
  [0x28, 0x3e, _.memory], // loads and stores
  [0x3f, 0x3f, _.zero], // memory.size
  [0x41, 0x42, _.number], // i32.const, i64.const
  [0x43, 0x43, _.fourBytes], // f32.const
  [0x44, 0x44, _.eightBytes], // f64.const
  [0x45, 0xc4, _.none], // numeric
  [0xd0, 0xd0, _.heapType], // ref.null
  [0xd1, 0xd1, _.none], // ref.is_null
  [0xd2, 0xd2, _.function], // ref.func
  [0xfc, 0xfc, _.bulk],
  [0xfd, 0xfd, _.vector],
  [0xfe, 0xfe, _.atomic],
])

/** Operands by the number after 0xfc. */
export const BULK_OPCODES: Uint8Array = table(32, [
  [0, 7, _.none], // saturating conversions
  [10, 10, _.twoZeros], // memory.copy
  [11, 11, _.zero], // memory.fill
  [19, 22, _.none], // wide arithmetic
])

/** Operands by the number after 0xfd. */
export const VECTOR_OPCODES: Uint8Array = table(276, [
  [0, 275, _.none], // all others, relaxed ones from 256 on
  [0, 11, _.memory], // loads and stores
  [12, 13, _.sixteenBytes], // v128.const, i8x16.shuffle
  [21, 34, _.lane], // extract_lane, replace_lane
  [84, 91, _.memoryAndLane], // load_lane, store_lane
  [92, 93, _.memory], // load32_zero, load64_zero
])

/** Operands by the number after 0xfe. */
export const ATOMIC_OPCODES: Uint8Array = table(79, [
  [0, 2, _.memory], // notify, wait
  [3, 3, _.zero], // fence
  [16, 78, _.memory],
])

const STATE = 'it would change the function table, which is the same for all sessions'
const PASSIVE = 'it uses a passive segment'
const NEW_EXCEPTIONS =
  'it uses the new exception instructions, but the interpreter is built with the older ones, and one module cannot have both'
const TYPED_REFERENCES = 'it calls through typed references or uses garbage-collected types'

const REFUSED: Readonly<Record<number, string>> = {
  ...{ 10: NEW_EXCEPTIONS, 31: NEW_EXCEPTIONS },
  ...{ 20: TYPED_REFERENCES, 21: TYPED_REFERENCES, 211: TYPED_REFERENCES, 212: TYPED_REFERENCES },
  ...{ 213: TYPED_REFERENCES, 214: TYPED_REFERENCES, 251: TYPED_REFERENCES },
  ...{ 37: STATE, 38: STATE },
  64: 'it grows memory itself, past the limits of the session',
}
const REFUSED_BULK: Readonly<Record<number, string>> = {
  ...{ 8: PASSIVE, 9: PASSIVE, 12: PASSIVE, 13: PASSIVE },
  ...{ 14: STATE, 15: STATE, 16: STATE, 17: STATE },
}

/** Says why a library with this instruction is refused. */
export function whyRefused(opcode: number, second?: number): string {
  const known = second === undefined ? REFUSED[opcode] : opcode === 0xfc ? REFUSED_BULK[second] : undefined
  const code = second === undefined ? '' : ` ${second}`
  const reason = known ?? 'the linker does not know it'
  return `a function has the instruction 0x${opcode.toString(16)}${code}: ${reason}`
}
