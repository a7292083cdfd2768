// Which names of Pyodide's module the linker treats as its bridge to JavaScript.
import { describe, expect, it } from 'vitest'
import { STUB_ROWS } from '../../workers/host/table/stubs.js'
import { bridgeNames } from '../../workers/linker/bridge.js'
import { readModule } from '../../workers/wasm/module.js'
import { pyodideModule } from './support/pyodide.js'

describe('the bridge', () => {
  it('includes every function that slots lack because it handles JavaScript', () => {
    const names = bridgeNames(readModule(pyodideModule()))
    const notBridge = new Set(['ffi_call_js'])
    const ending = STUB_ROWS.filter((row) => row.class === 'ends-interpreter' && !notBridge.has(row.name))
    expect(ending.filter(({ name }) => !names.has(name)).map(({ name }) => name)).toEqual([])
  })

  it('includes no function that packages need', () => {
    const names = bridgeNames(readModule(pyodideModule()))
    const needed = [
      'exit',
      '__assert_fail',
      'getaddrinfo',
      'PyObject_Repr',
      'PyInit__json',
      'dlopen',
      'poll',
      'PyWeakref_NewProxy',
    ]
    expect(needed.filter((name) => names.has(name))).toEqual([])
    expect([...names].filter((name) => /^_*Py(?!2Js)(?!Init__pyodide)/.test(name))).toEqual([])
  })
})
