// Real libraries, as compilers and linkers write them: all of them link, and the merged module changes nothing that a renewal would miss.
import { describe, expect, it } from 'vitest'
import { withCountedRecursion } from '../../workers/builder/recursion.js'
import { INTERPRETER_EXPORTS } from '../../workers/interpreter/exports.js'
import { coreModuleBytes, readWasm } from '../../workers/interpreter/wasm-binary.js'
import { link } from '../../workers/linker/link.js'
import { changesOf } from '../image/support/instructions.js'
import { pyodideModule } from './support/pyodide.js'
import { librariesOf, WHEELS } from './support/wheels.js'

const ADDRESS = 0x200_0000

if (WHEELS === undefined) it.skip('real wheels: BRUMATE_WHEELS names no folder')
else linkAll(WHEELS)

function linkAll(folder: string) {
  describe('the wheels in BRUMATE_WHEELS', () => {
    const main = withCountedRecursion(pyodideModule())
    const tableLength = readWasm(main).tableSignatures.length
    const libraries = librariesOf(folder)
    const program = link({ main, keep: INTERPRETER_EXPORTS, libraries, tableBase: tableLength + 1 })
    const placed = program.placeAt(ADDRESS)
    const slot = placed.slotModule()

    it('can be linked, and both merged modules are valid', () => {
      console.log(`${libraries.length} libraries, ${slot.length} bytes, table ${program.tableEnd}`)
      expect(libraries.length).toBeGreaterThan(0)
      expect(WebAssembly.validate(slot)).toBe(true)
      expect(WebAssembly.validate(placed.builderModule())).toBe(true)
    })

    it('S1: change no more state outside memory than the interpreter does', () => {
      const state = (bytes: Uint8Array) =>
        new Set([...changesOf(bytes)].map((change) => `${change.what} ${change.index}`))
      expect(state(slot)).toEqual(state(coreModuleBytes(main, INTERPRETER_EXPORTS)))
    })

    it('have an initializer for each extension module', () => {
      const extensions = placed.libraries.filter(({ path }) =>
        /\.cpython-\d+-wasm32-emscripten\.so$/.test(path),
      )
      expect(extensions.length).toBeGreaterThan(0)
      const without = extensions.filter(({ path, symbols }) => {
        const name = /([^/.]+)\.cpython/.exec(path)?.[1]
        return symbols[`PyInit_${name}`] === undefined
      })
      expect(without).toEqual([])
    })

    it('write their data into their own memory and nowhere else', () => {
      const memory = new Uint8Array(program.memoryBytes + 2 * ADDRESS)
      placed.writeData(memory)
      const isZero = (from: number, to: number) => Buffer.alloc(to - from).equals(memory.subarray(from, to))
      const end = ADDRESS + program.memoryBytes
      expect([isZero(0, ADDRESS), isZero(ADDRESS, end), isZero(end, memory.length)]).toEqual([
        true,
        false,
        true,
      ])
    })
  })
}
