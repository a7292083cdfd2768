// A11: the private file system as Python sees it.
import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { py } from '../support/session-code.js'
import { describeSessions } from '../support/session-modes.js'

const script = new URL('../fixtures/file-script.py', import.meta.url)

/** What stock Pyodide prints; test/kernel/stock/files.ts checks that. */
const expected = await readFile(new URL('../fixtures/file-script.stdout', import.meta.url), 'utf8')

describeSessions('files', (open) => {
  test('A11: a script of 261 file operations prints the same as under stock Pyodide', async () => {
    const code = await readFile(script, 'utf8')
    const session = await open()
    const { stdout } = await session.execute(code)
    expect(expected.split('\n').length).toBeGreaterThan(200)
    expect(stdout).toBe(expected)
  })

  test('A11: open files keep position, mode and unflushed data between executions', async () => {
    const session = await open()
    await session.execute(py`
      import os
      os.makedirs('/tmp/dir'); os.chdir('/tmp/dir')
      text = open('text', 'w+'); text.write('äöü\n'); text.seek(0); text.read(1)
      log = open('log', 'a'); log.write('unflushed ')
      raw = os.open('raw', os.O_RDWR | os.O_CREAT); os.write(raw, bytes(range(10))); os.lseek(raw, 4, 0)
      again = os.dup(raw)
      gone = open('gone', 'wb+'); gone.write(b'no name'); gone.flush(); os.unlink('gone')
      r, w = os.pipe(); os.write(w, b'in the pipe')
      scan = os.scandir('/tmp/dir')
      closed = open('text'); closed.close()
    `)
    await session.execute("log.write('and more'); os.symlink('raw', 'link'); os.rename('text', 'renamed')")
    const { value } = await session.execute(py`
      log.flush(); gone.seek(3)
      [text.read(), open('log').read(), list(os.read(raw, 2)), list(os.read(again, 2)), gone.read().decode(),
       os.read(r, 100).decode(), closed.closed, os.readlink('link'), sorted(os.listdir('.'))]
    `)
    expect(value).toEqual([
      ...['öü\n', 'unflushed and more', [4, 5], [6, 7], 'name', 'in the pipe', true, 'raw'],
      ['link', 'log', 'raw', 'renamed'],
    ])
  })

  test('A8: reset restores the files, descriptors and working directory of the image', async () => {
    const session = await open()
    const look =
      'import os\n(sorted(os.listdir("/tmp")), os.getcwd(), os.open("/tmp", os.O_RDONLY), os.umask(0o22))'
    const fresh = await session.execute(look)
    await session.execute('os.chdir("/"); os.umask(0); open("/tmp/left", "w").write("x"); os.close(1)')
    await session.reset()
    expect(await session.execute(look)).toMatchObject({ value: fresh.value })
  })
})
