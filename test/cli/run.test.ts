// `brumate run`: output, exit codes, input, JSON, mounts, snapshots; and `brumate inspect` for the snapshots it saved.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { callProgram, callProgramWithInput } from '../support/program.js'

const PROGRAM = fileURLToPath(new URL('../../dist/src/program/index.js', import.meta.url))

let directory: string
let cache: readonly string[]

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'brumate-run-'))
  cache = ['--cache-dir', inject('cacheDir')]
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const run = (...args: readonly string[]) => callProgram('run', ...cache, ...args)

function file(name: string, text: string): string {
  const path = join(directory, name)
  writeFileSync(path, text)
  return path
}

test('a file runs with its arguments and stdin, and its sys.exit code becomes the exit code', async () => {
  const script = file(
    'script.py',
    'import sys\nname = input("Name: ")\nnext_one = sys.stdin.readline()\nprint(name, sys.argv[1:], repr(next_one), input(), repr(sys.stdin.read()))\nprint("oops", file=sys.stderr)\nsys.exit(7)\n',
  )
  const args = ['run', ...cache, script, '--', '--json', 'b']
  expect(await callProgramWithInput('Ada\nGrace\nBarbara\nZoë', ...args)).toEqual({
    exitCode: 7,
    stdout: "Name: Ada ['--json', 'b'] 'Grace\\n' Barbara 'Zoë'\n",
    stderr: 'oops\n',
  })
})

test('an exception prints its traceback, with the file’s name and escaped control characters, and exits with code 1', async () => {
  const script = file('fails.py', 'def f():\n    raise ValueError("\\x1b[31mred")\nf()')
  const { exitCode, stdout, stderr } = await run(script)
  expect([exitCode, stdout]).toEqual([1, ''])
  expect(stderr).toContain(`  File "${script}", line 3, in <module>\n    f()\n`)
  expect(stderr).toMatch(/\nValueError: \\u\{1b\}\[31mred\n$/)
})

test('stdin may be bytes; at the end of stdin, the EOFError shows only frames of the user’s code', async () => {
  const code = 'import sys; print(sys.stdin.buffer.read())\ninput()'
  const { stdout, stderr } = await callProgramWithInput(
    new Uint8Array([0xff, 10]),
    'run',
    ...cache,
    '-c',
    code,
  )
  expect(stdout).toBe("b'\\xff\\n'\n")
  const frame = '  File "<string>", line 2, in <module>\n    input()\n'
  expect(stderr.replace(/^ +[~^]+\n/m, '')).toBe(
    `Traceback (most recent call last):\n${frame}EOFError: EOF when reading a line\n`,
  )
})

test('code can come from standard input, and the text passed to sys.exit goes to stderr', async () => {
  const code = 'import sys\nprint(sys.argv, repr(sys.stdin.read()))\nsys.exit("no more")'
  const output = await callProgramWithInput(code, 'run', ...cache, '-')
  expect(output).toEqual({ exitCode: 1, stdout: "['-'] ''\n", stderr: 'no more\n' })
})

test('code that exceeds --timeout exits with code 124', async () => {
  const { exitCode, stdout, stderr } = await run('-c', 'print("on")\nwhile True: pass', '--timeout', '300ms')
  expect({ exitCode, stdout, stderr }).toEqual({
    exitCode: 124,
    stdout: 'on\n',
    stderr: 'brumate: the time limit of 300 ms has passed\n',
  })
})

test('--json prints one document; a saved snapshot can be inspected and started from', async () => {
  const snapshot = join(directory, 'state.snapshot')
  const code = `
import sys
from IPython.display import Image
open('notes.txt', 'w').write('kept')
display(Image(data=b'not really', format='png'))
x = {'big': 2**70, 'bytes': b'hi', 1: float('nan')}
print('out'); print('err', file=sys.stderr)
x`
  const first = await callProgramWithInput(
    '',
    'run',
    ...cache,
    '-c',
    code,
    '--json',
    '--snapshot-out',
    snapshot,
  )
  expect([first.exitCode, first.stderr]).toEqual([0, ''])
  const document = JSON.parse(first.stdout)
  expect(document).toMatchObject({
    exitCode: 0,
    stdout: 'out\n',
    stderr: 'err\n',
    value: [
      ['big', String(2n ** 70n)],
      ['bytes', Buffer.from('hi').toString('base64')],
      [1, 'NaN'],
    ],
    repr: "{'big': 1180591620717411303424, 'bytes': b'hi', 1: nan}",
    files: [{ path: '/home/pyodide/notes.txt', change: 'created', sizeBytes: 4 }],
    snapshot: { path: snapshot, sizeBytes: statSync(snapshot).size },
    usage: { outputBytes: expect.any(Number) },
    durations: { startMs: expect.any(Number), executeMs: expect.any(Number) },
  })
  expect(document.error).toBeUndefined()
  expect(document.displays[0]['image/png']).toBe(Buffer.from('not really').toString('base64'))
  expect(statSync(snapshot).mode & 0o77).toBe(0)

  const shown = await callProgram('inspect', snapshot)
  expect([shown.exitCode, shown.stderr]).toEqual([0, ''])
  expect(shown.stdout).toContain('\n  x      dict')
  expect(shown.stdout).toContain('\n1 file\n  /home/pyodide/notes.txt  4 B\n0 pending calls\n')
  const inspected = JSON.parse((await callProgram('inspect', snapshot, '--json')).stdout)
  expect(inspected).toMatchObject({ isSigned: false, imageId: expect.stringMatching(/^[0-9a-f]{64}$/) })

  // The snapshot does not contain the program's replacement of stdin.
  const third = await run('-c', 'import sys; print(sys.stdin is sys.__stdin__)', '--snapshot-in', snapshot)
  expect(third.stdout).toBe('True\n')
  const second = await run('-c', "x['big']; 1/0", '--json', '--snapshot-in', snapshot)
  expect(second.exitCode).toBe(1)
  expect(JSON.parse(second.stdout)).toMatchObject({
    exitCode: 1,
    error: { code: 'PYTHON', type: 'ZeroDivisionError', frames: [{ file: '<string>', line: 1 }] },
  })
})

test('displayed images are saved without overwriting files, and a read-only mount can be read but not written', async () => {
  const [figures, mounted] = [join(directory, 'figures'), join(directory, 'mounted')]
  mkdirSync(figures)
  mkdirSync(mounted)
  writeFileSync(join(figures, 'figure-1.png'), 'mine')
  writeFileSync(join(mounted, 'in.txt'), 'from the host')
  const code = `
from IPython.display import Image
display(Image(data=b'figure', format='png')); display('plain')
try: open('/in/out.txt', 'w')
except OSError as error: print(error.strerror, open('/in/in.txt').read())`
  const output = await run('-c', code, '--mount', `${mounted}:ro:/in`, '--figures', figures)
  const path = join(figures, 'figure-2.png')
  expect(output).toEqual({
    exitCode: 0,
    stdout: "'plain'\nRead-only file system from the host\n",
    stderr: expect.stringMatching(/^brumate: image saved: .*figure-2\.png\n$/),
  })
  expect(readFileSync(path, 'utf8')).toBe('figure')
  expect(readFileSync(join(figures, 'figure-1.png'), 'utf8')).toBe('mine')
  expect(existsSync(join(mounted, 'out.txt'))).toBe(false)
})

test('output is streamed, and Ctrl-C raises KeyboardInterrupt and exits with code 130', async () => {
  const code = 'import time\nprint("started", flush=True)\ntry: time.sleep(600)\nfinally: print("cleaned up")'
  const child = spawn(process.execPath, [PROGRAM, 'run', '-c', code], {
    env: { ...process.env, XDG_CACHE_HOME: dirname(inject('cacheDir')) },
  })
  const written = { stdout: '', stderr: '' }
  child.stderr.on('data', (chunk) => {
    written.stderr += chunk
  })
  child.stdout.on('data', (chunk) => {
    written.stdout += chunk
    if (written.stdout === 'started\n') child.kill('SIGINT')
  })
  const [exitCode] = await once(child, 'close')
  expect([exitCode, written.stdout]).toEqual([130, 'started\ncleaned up\n'])
  expect(written.stderr).toMatch(/\nKeyboardInterrupt\n$/)
})

test.each([
  [['run'], 'missing code: give a file, -c CODE, or - for standard input'],
  [['run', '-c', '1', 'file.py'], '-c and file.py cannot be combined; arguments go after --'],
  [['run', '-c', '1', '--timeout', 'soon'], '--timeout soon: expected seconds'],
  [['run', '-c', '1', '--memory', '10'], '--memory 10: expected an integer of MiB'],
  [['run', '-c', '1', '--mount', '/nowhere'], '--mount /nowhere: there is no directory /nowhere'],
  [['run', '-c', '1', '--mount', '/tmp', '--mount', '/tmp'], '--mount was given more than once'],
  [['run', '-c', '1', '--image', 'x', '-p', 'a'], '--image has its packages'],
  [['run', '-c', '1', '--snapshot-in', '/nowhere/x'], 'ENOENT'],
  [['run', '-c', '1', '--snapshot-out', '/nowhere/x'], 'there is no directory /nowhere'],
  [['run', '/nowhere.py'], "ENOENT: no such file or directory, open '/nowhere.py'"],
  [['run', '/tmp'], '/tmp: EISDIR'],
  [['run', 'a.py', 'b'], 'arguments of the program go after --'],
  [['inspect', '/tmp'], '/tmp is not a file'],
])('the command line %j is rejected with exit code 2', async (args, message) => {
  const { exitCode, stdout, stderr } = await callProgram(...args)
  expect([exitCode, stdout]).toEqual([2, ''])
  expect(stderr).toContain(message)
})

test('a file that is not a snapshot is rejected with exit code 1, also with --json', async () => {
  const path = file('not-a.snapshot', 'x'.repeat(10_000))
  expect(await callProgram('inspect', path)).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/not a snapshot/),
  })
  const { exitCode, stdout } = await callProgram('inspect', path, '--json')
  expect([exitCode, JSON.parse(stdout).error.code]).toEqual([1, 'SNAPSHOT'])
})
