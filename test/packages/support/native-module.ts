// Assembles a native Python module. Owns its code: `count(n)` adds n to a number in the module's own memory and returns the sum.
import { call, get, global, I32, i32, load, OP, side, store } from '../../linker/support/assembler.js'

const NAME = 0
const METHOD_NAME = 16
const METHODS = 32
/** PyModuleDef: 20 bytes of PyModuleDef_Base, then name, doc, size, methods. */
const DEFINITION = 64
const SUM = 128
const METH_O = 8
const API_VERSION = 1013

export function nativeModule(name: string): Uint8Array<ArrayBuffer> {
  const { module, memoryBase, tableBase } = side({ memoryBytes: 256, tableEntries: 1 })
  const unary = module.type([I32], [I32])
  const binary = module.type([I32, I32], [I32])
  const init = module.type([], [I32])
  const createModule = module.importFunction('PyModule_Create2', binary)
  const asLong = module.importFunction('PyLong_AsLong', unary)
  const fromLong = module.importFunction('PyLong_FromLong', unary)
  const at = (offset: number) => [...global(memoryBase), ...i32(offset), OP.i32Add]
  const count = module.function(binary, [
    ...at(SUM),
    ...at(SUM),
    ...load(),
    ...get(1),
    ...call(asLong),
    OP.i32Add,
    ...store(),
    ...at(SUM),
    ...load(),
    ...call(fromLong),
  ])
  module.function(
    init,
    [
      ...[...at(METHODS), ...at(METHOD_NAME), ...store()],
      ...[...at(METHODS + 4), ...global(tableBase), ...store()],
      ...[...at(METHODS + 8), ...i32(METH_O), ...store()],
      ...[...at(DEFINITION), ...i32(1), ...store()],
      ...[...at(DEFINITION + 20), ...at(NAME), ...store()],
      ...[...at(DEFINITION + 28), ...i32(-1), ...store()],
      ...[...at(DEFINITION + 32), ...at(METHODS), ...store()],
      ...[...at(DEFINITION), ...i32(API_VERSION), ...call(createModule)],
    ],
    { name: `PyInit_${name}` },
  )
  module.elements(global(tableBase), [count])
  const texts = new Uint8Array(METHODS)
  new TextEncoder().encodeInto(name, texts.subarray(NAME))
  new TextEncoder().encodeInto('count', texts.subarray(METHOD_NAME))
  module.data(global(memoryBase), texts)
  return module.bytes()
}
