import { readFile } from 'node:fs/promises'
import { loadPyodide } from 'pyodide'
import { describe, expect, test } from 'vitest'
import { managerForTest } from '../support/manager.js'

const script = new URL('../fixtures/file-script.py', import.meta.url)

async function underStockPyodide(code: string): Promise<string> {
  const lines: string[] = []
  const pyodide = await loadPyodide({ stdout: (line) => lines.push(line) })
  pyodide.runPython(code)
  return lines.join('\n')
}

describe('files of a session', () => {
  test('A11: a script of 261 file operations prints what it prints under stock Pyodide', async () => {
    const code = await readFile(script, 'utf8')
    const expected = await underStockPyodide(code)
    const manager = await managerForTest({ slots: 1 })
    await using session = await manager.createSession()
    const { stdout } = await session.execute(code)
    expect(expected.split('\n').length).toBeGreaterThan(200)
    expect(stdout.trimEnd()).toBe(expected.trimEnd())
  })

  test('A8: reset brings back the files, descriptors and directory of the image', async () => {
    const manager = await managerForTest({ slots: 1 })
    await using session = await manager.createSession()
    const look =
      'import os\n(sorted(os.listdir("/tmp")), os.getcwd(), os.open("/tmp", os.O_RDONLY), os.umask(0o22))'
    const fresh = await session.execute(look)
    await session.execute('os.chdir("/"); os.umask(0); open("/tmp/left", "w").write("x"); os.close(1)')
    await session.reset()
    expect(await session.execute(look)).toMatchObject({ value: fresh.value })
  })
})
