import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { describe, expect, it } from 'vitest'
import { FUNCTION_GLOBALS, IMPORT_ROWS, type ImportRow, WORKING_CLASSES } from '../../workers/host/imports.js'
import { Guest } from './guest.js'

interface DocumentScript {
  render(rows: readonly ImportRow[], globals: readonly string[]): string
}

const script = new URL('../../scripts/host-imports.mjs', import.meta.url)
const document = new URL('../../docs/host-imports.md', import.meta.url)

describe('the table of imports (R1)', () => {
  it('lists exactly the imports of Pyodide’s module', () => {
    const path = createRequire(import.meta.url).resolve('pyodide/pyodide.asm.wasm')
    const module = new WebAssembly.Module(readFileSync(path))
    const imported = WebAssembly.Module.imports(module).map(
      ({ module: from, name, kind }) => `${kind} ${from}.${name}`,
    )
    const listed = [
      ...IMPORT_ROWS.map(({ module: from, name }) => `function ${from}.${name}`),
      ...FUNCTION_GLOBALS.map((name) => `global GOT.func.${name}`),
    ]
    expect(listed.toSorted()).toEqual(imported.toSorted())
  })

  it('matches docs/host-imports.md', async () => {
    const { render } = (await import(script.href)) as DocumentScript
    expect(readFileSync(document, 'utf8')).toBe(render(IMPORT_ROWS, FUNCTION_GLOBALS))
  })

  it('implements exactly the imports documented as working; all others do nothing or end the interpreter', () => {
    const guest = new Guest()
    const documented = documentedNames(readFileSync(document, 'utf8'), WORKING_CLASSES)
    // A stub returns its constant without reading its arguments.
    const untouchable = new Proxy({}, { get: () => expect.fail('an argument was looked at') })
    const idle = IMPORT_ROWS.filter(({ name }) => {
      if (documented.includes(name)) return false
      const before = guest.bytes.toString('latin1')
      try {
        guest.call(name, untouchable, untouchable, untouchable)
      } catch (error) {
        expect(error).toMatchObject({ name: 'InterpreterEnd' })
      }
      return guest.bytes.toString('latin1') === before
    })
    expect([...documented, ...idle.map(({ name }) => name)].toSorted()).toEqual(guest.importNames.toSorted())
  })

  it('rejects a module with any other import', () => {
    const bytes = Uint8Array.from([
      ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x04, 0x01, 0x60, 0x00, 0x00],
      ...[0x02, 0x0a, 0x01, 0x03, 0x65, 0x6e, 0x76, 0x02, 0x6e, 0x6f, 0x00, 0x00],
    ])
    const { host } = new Guest()
    expect(() => host.imports(new WebAssembly.Module(bytes))).toThrow('env.no')
  })

  it('does not contain names from an object’s prototype', () => {
    for (const name of ['constructor', '__proto__', 'toString', 'valueOf']) {
      expect(new Guest().importNames).not.toContain(name)
    }
  })
})

/** Names in the tables of the classes' sections. */
function documentedNames(markdown: string, classes: readonly string[]): string[] {
  return markdown
    .split(/^## /m)
    .filter((section) => classes.some((name) => section.startsWith(`${name}\n`)))
    .flatMap((section) => [...section.matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1] ?? ''))
}
