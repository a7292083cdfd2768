// `brumate repl` in a pseudo-terminal. Most tests share one process: each continues where the previous one ended.
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { BRIEF } from '../support/brief-process.js'
import { callProgram } from '../support/program.js'
import { hasTerminals, Terminal } from './support/terminal.js'

const { Versions } = (await import(
  new URL('../../dist/src/cli/repl/versions.js', import.meta.url).href
)) as typeof import('../../src/cli/repl/versions.js')

const PROGRAM = fileURLToPath(new URL('../../dist/src/program/index.js', import.meta.url))
/** The prompt, and the start of the escape sequence that readline writes after it to place the cursor. */
const PROMPT = '>>> \u001B['
const [ENTER, TAB, CTRL_C, CTRL_D, UP] = ['\r', '\t', '\u0003', '\u0004', '\u001B[A']

test('`brumate repl` without a terminal exits with code 2', async () => {
  const output = await callProgram('repl')
  expect(output).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('a REPL needs a terminal') })
})

test.each([
  [1, 20],
  [60, 3],
  [200, 1],
  [300, 1],
])(
  'with states of %d MiB and a history of at most 20, %d can be undone: 256 MiB in total, but always one',
  async (sizeMiB, most) => {
    const restored: unknown[] = []
    const snapshots = Array.from({ length: 30 }, () => ({ size: sizeMiB * 1024 * 1024 }))
    let taken = 0
    const session = {
      snapshotState: async () => snapshots[taken++],
      restoreState: async (snapshot: unknown) => restored.push(snapshot),
    }
    const versions = new Versions(session as unknown as ConstructorParameters<typeof Versions>[0], 20)
    for (const _ of snapshots) {
      versions.save()
      await setImmediate()
    }
    await expect(
      (async () => {
        for (;;) await versions.undo()
      })(),
    ).rejects.toThrow('there is no earlier state')
    expect(restored).toEqual(snapshots.slice(-1 - most, -1).toReversed())
    expect(restored).toHaveLength(most)
  },
)

describe.skipIf(!hasTerminals)('in a terminal', () => {
  let directory: string
  let repl: Terminal

  const open = (...args: readonly string[]) =>
    new Terminal([process.execPath, ...BRIEF, PROGRAM, ...args], {
      ...{ XDG_STATE_HOME: join(directory, 'state'), XDG_CACHE_HOME: dirname(inject('cacheDir')) },
    })
  /** Enters a cell and returns what is shown up to the next prompt. */
  const cell = async (code: string): Promise<string> => {
    repl.type(code.replaceAll('\n', ENTER) + ENTER)
    const shown = await repl.until(PROMPT)
    return shown.replaceAll('\r\n', '\n')
  }

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'brumate-repl-'))
    repl = open()
    await repl.until(PROMPT)
  })
  afterAll(() => {
    repl.kill()
    rmSync(directory, { recursive: true, force: true })
  })

  test('values are shown as Python shows them, and a block ends with an empty line', async () => {
    await cell('x = 41')
    expect(await cell('x + 1')).toContain('\n42\n')
    expect(await cell('_ * 2')).toContain('\n84\n')
    const shown = await cell('def twice():\n    return 2 * x\n')
    expect(shown).not.toContain('Error')
    expect(await cell('twice()')).toContain('\n82\n')
  })

  test('a pasted block may contain empty lines and be followed by statements', async () => {
    const shown = await cell('def g():\n    a = 1\n\n    return a + 1\n\nprint("g", g())')
    expect(shown).not.toContain('Error')
    expect(shown + (shown.includes('\ng 2') ? '' : await repl.until(PROMPT))).toContain('g 2')
  })

  test('tracebacks and reprs are shown with control characters escaped, and the session goes on', async () => {
    const shown = await cell('raise ValueError("\\x1b[31mred")')
    expect(shown).toContain('  File "<input>", line 1, in <module>\n')
    expect(shown).toContain('\nValueError: \\u{1b}[31mred\n')
    expect(await cell('type("T", (), {"__repr__": lambda self: "\\x1b[31m"})()')).toContain('\n\\u{1b}[31m\n')
    expect(await cell('x')).toContain('\n41\n')
  })

  test('Ctrl-C interrupts a running cell and discards a half-typed line', async () => {
    repl.type(`import time; print("run" + "ning", flush=True); time.sleep(600)${ENTER}`)
    await repl.until('\nrunning')
    repl.type(CTRL_C)
    expect(await repl.until(PROMPT)).toContain('KeyboardInterrupt')
    repl.type(`for i in x:${ENTER}`)
    await repl.until('... ')
    repl.type(`abc${CTRL_C}`)
    expect(await repl.until(PROMPT)).toContain('KeyboardInterrupt')
    expect(await cell('x')).toContain('\n41\n')
  })

  test('.undo reverts the last cell, and can be repeated', async () => {
    await cell('x = 7')
    await cell('del twice')
    expect(await cell('.undo')).toContain('the last cell is undone')
    expect(await cell('(x, twice())')).toContain('\n(7, 14)\n')
    await cell('.undo')
    await cell('.undo')
    expect(await cell('x')).toContain('\n41\n')
  })

  test('Tab completes names, attributes and dot commands', async () => {
    repl.type(`x.bit_l${TAB}`)
    await repl.until('bit_length')
    expect(await cell('')).toContain('\n6\n')
    repl.type(`.tim${TAB}`)
    await repl.until('.time')
    expect(await cell('')).toContain('last cell  ')
  })

  test('input() reads a line, and getpass() reads one without showing it', async () => {
    repl.type(`name = input("Name: ")${ENTER}`)
    await repl.until('Name: \u001B[')
    await cell('Ada')
    repl.type(`import getpass; secret = getpass.getpass("Secret: ")${ENTER}`)
    await repl.until('\nSecret: ')
    expect(await cell('hush')).not.toContain('hush')
    expect(await cell('name, secret')).toContain("\n('Ada', 'hush')\n")
  })

  test('dot commands list files, save and restore snapshots, fork, switch and reset sessions', async () => {
    const [snapshot, figures] = [join(directory, 'state.snapshot'), join(directory, 'figures')]
    await cell('_ = open("notes.txt", "w").write("kept")')
    expect(await cell('.files')).toContain('/home/pyodide/notes.txt  4 B\n')
    expect(await cell(`.snapshot ${snapshot}`)).toMatch(/state\.snapshot: [\d.]+ KB/)
    expect(statSync(snapshot).mode & 0o77).toBe(0)
    await cell('.fork other')
    await cell('x = "of the fork"')
    expect(await cell('.sessions')).toContain('  main\n* other\n')
    await cell('.switch main')
    expect(await cell('x')).toContain('\n41\n')
    expect(await cell('.reset')).toContain('the session is empty')
    expect(await cell('x')).toContain('NameError')
    expect(await cell(`.restore ${snapshot}`)).toContain('restored, with ')
    expect(await cell('x')).toContain('\n41\n')
    expect(await cell('.restore /nowhere')).toContain('ENOENT')
    expect(await cell('.nonsense')).toContain('there is no command .nonsense')
    repl.type(CTRL_D)
    expect(await repl.exitCode()).toBe(0)
    expect(existsSync(figures)).toBe(false)
  })

  test('the next REPL keeps the history, starts from a snapshot, saves images, and exits with the code of sys.exit', async () => {
    const history = join(directory, 'state', 'brumate', 'history')
    expect(statSync(history).mode & 0o777).toBe(0o600)
    const lines = readFileSync(history, 'utf8')
    expect(lines).toContain('x + 1\n')
    expect(lines).not.toContain('hush')

    const figures = join(directory, 'figures')
    const snapshot = join(directory, 'state.snapshot')
    repl = open('--snapshot-in', snapshot, '--figures', figures)
    await repl.until(PROMPT)
    repl.type(UP + UP)
    await repl.until('.restore /nowhere')
    repl.type(CTRL_C)
    await repl.until(PROMPT)
    expect(await cell('x')).toContain('\n41\n')
    const image = 'from IPython.display import Image; display(Image(data=b"figure", format="png"))'
    expect(await cell(image)).toContain('figure-1.png')
    expect(readFileSync(join(figures, 'figure-1.png'), 'utf8')).toBe('figure')
    repl.type(`import sys; sys.exit(3)${ENTER}`)
    expect(await repl.exitCode()).toBe(3)
  })
})
