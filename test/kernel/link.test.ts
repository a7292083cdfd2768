// R3, A10: the head of a reply is validated before the rest is used, because user code can damage the kernel's memory.
import { expect, test } from 'vitest'
import type { InterpreterExports } from '../../workers/interpreter/exports.js'
import { KernelFault, KernelLink, Opcode } from '../../workers/interpreter/link.js'

const REQUEST = 1024
const REPLY = 4096

/** Creates a link to an interpreter that answers every request with these bytes. */
function answering(bytes: Uint8Array): KernelLink {
  const memory = new WebAssembly.Memory({ initial: 1 })
  new Uint8Array(memory.buffer).set(bytes, REPLY)
  const exports: Partial<InterpreterExports> = {
    memory,
    PyBytes_FromStringAndSize: () => REQUEST,
    PyBytes_Size: () => bytes.length,
    PyBytes_AsString: (object) => object,
    PyObject_CallOneArg: () => REPLY,
    Py_DecRef: () => {},
  }
  return new KernelLink(exports as InterpreterExports, 1)
}

const head = (status: number, payload: readonly number[]) =>
  Uint8Array.from([status, 0, 0, 0, 0, 0, 0, 0, 0, ...payload])
const call = (bytes: Uint8Array) => answering(bytes).call(Opcode.describe)

test('a description is split at its stated length', () => {
  expect(call(head(3, [2, 0, 0, 0, 7, 8, 9]))).toEqual({
    kind: 'described',
    description: Uint8Array.of(7, 8),
    values: Uint8Array.of(9),
  })
  expect(call(head(3, [0, 0, 0, 0]))).toMatchObject({
    description: new Uint8Array(),
    values: new Uint8Array(),
  })
  expect(call(head(3, [1, 0, 0, 0, 7]))).toMatchObject({ values: new Uint8Array() })
})

test.each([
  ['no length', head(3, [])],
  ['half a length', head(3, [0, 0, 0])],
  ['a length past the end', head(3, [2, 0, 0, 0, 7])],
  ['a length of 2^32 - 1', head(3, [255, 255, 255, 255, 7])],
  ['an unknown status', head(2, [0, 0, 0, 0])],
  ['half a head', Uint8Array.of(3, 0, 0)],
])('R3: a description with %s is a fault', (_, bytes) => {
  expect(() => call(bytes)).toThrow(KernelFault)
})
