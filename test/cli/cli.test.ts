// The program `brumate`: help, errors and exit codes, and the commands for images and locks.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { makeWheel } from '../packages/support/pure-wheel.js'
import { BRIEF } from '../support/brief-process.js'
import { callProgram as call, run } from '../support/program.js'

const DIST = new URL('../../dist/src/cli/', import.meta.url)

const { COMMANDS } = (await import(
  new URL('commands.js', DIST).href
)) as typeof import('../../src/cli/commands.js')

const page = (name: string) => readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8')
const pages: Readonly<Record<string, string>> = {
  'cli.md': page('cli.md'),
  'mcp.md': page('mcp.md'),
  'server.md': page('server.md'),
  'upgrades.md': page('upgrades.md'),
}
/** Commands that have their own documentation page. */
const PAGES: Readonly<Record<string, string>> = {
  mcp: 'mcp.md',
  serve: 'server.md',
  'store salvage': 'upgrades.md',
}
/** Options documented on the page of another command that has them too. */
const UNLISTED = ['store salvage cache-dir']

const WHEEL = makeWheel('clicker')
let directory: string
/** Options for working offline. */
let offline: readonly string[]

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'brumate-cli-'))
  await writeFile(join(directory, WHEEL.file), WHEEL.bytes)
  offline = ['--wheels', directory, '--no-index', '--cache-dir', inject('cacheDir')]
})

afterAll(() => rmSync(directory, { recursive: true, force: true }))

test('--version prints the version', () => {
  const program = fileURLToPath(new URL('main.js', DIST))
  const output = execFileSync(process.execPath, [program, '--version'], { encoding: 'utf8' })
  expect(output).toMatch(/^\d+\.\d+\.\d+/)
})

test('--help lists the commands, and each command’s help lists its options', async () => {
  const { exitCode, stdout } = await call('--help')
  expect(exitCode).toBe(0)
  for (const [name, { load }] of Object.entries(COMMANDS)) {
    expect(stdout).toContain(`\n  ${name} `)
    const help = await call(...name.split(' '), '--help')
    expect(help.exitCode).toBe(0)
    expect(help.stdout).toContain(`Usage: brumate ${name} `)
    expect(help.stdout).toContain('--json')
    expect((await call('help', ...name.split(' '))).stdout).toBe(help.stdout)
    const { options } = await load()
    const page = PAGES[name] ?? 'cli.md'
    for (const option of Object.keys(options))
      if (!UNLISTED.includes(`${name} ${option}`)) expect(pages[page]).toContain(`--${option}`)
    for (const line of help.stdout.split('\n').slice(1)) expect(line.length).toBeLessThanOrEqual(80)
  }
})

test('the help of a command group lists its commands', async () => {
  const { exitCode, stdout } = await call('image', '--help')
  expect(exitCode).toBe(0)
  expect(stdout).toContain('\n  image show ')
  expect(stdout).not.toContain('\n  lock ')
})

test.each([
  [[], ''],
  [['frobnicate'], 'there is no command frobnicate; there are: run, repl'],
  [['image'], 'use one of: image build, image show'],
  [['image', 'drop'], 'there is no command image drop'],
  [['image', 'show'], 'it takes 1 argument besides its options, got 0'],
  [['image', 'build', '-p', 'a'], 'missing -o FILE: where to save the image'],
  [
    ['image', 'build', '-p', 'a', '-o', '/nowhere/a.image'],
    '-o /nowhere/a.image: there is no directory /nowhere',
  ],
  [['lock'], 'missing packages: give -p or -r'],
  [['image', 'build', '-o', 'x', '--standard', '-p', 'a'], '--standard takes no packages, so no --package'],
  [['lock', '--frob'], "Unknown option '--frob'"],
])('the command line %j is rejected with exit code 2', async (args, message) => {
  const { exitCode, stdout, stderr } = await call(...args)
  expect(exitCode).toBe(2)
  expect(stderr).toContain(message)
  if (args.length > 0) expect(stdout).toBe('')
})

test('`brumate lock` writes a lock file, --check compares it, and a second run leaves it unchanged', async () => {
  const path = join(directory, 'a.lock.json')
  const args = ['lock', '-p', 'clicker', '-o', path, ...offline]
  expect((await call(...args, '--check')).exitCode).toBe(1)
  const { exitCode, stdout } = await call(...args)
  expect([exitCode, stdout]).toEqual([0, `${path}: written\n  clicker  1.0  directory\n`])
  const { packages } = JSON.parse(await readFile(path, 'utf8'))
  expect(packages).toMatchObject([{ name: 'clicker', sha256: WHEEL.sha256 }])
  expect(await call(...args, '--check', '--json')).toMatchObject({ exitCode: 0 })
  expect(JSON.parse((await call(...args, '--json')).stdout)).toEqual({ path, state: 'unchanged', packages })
})

test('--check alone uses the requirements recorded in the lock, including wheels given by path', async () => {
  for (const [name, requirement] of [
    ['named', 'clicker'],
    ['by-path', join(directory, WHEEL.file)],
  ] as const) {
    const lock = ['lock', '-o', join(directory, `${name}.lock.json`), ...offline]
    expect((await call(...lock, '--check')).stderr).toContain('does not exist; `brumate lock` makes one')
    await call(...lock, '-p', requirement)
    expect(await call(...lock, '--check')).toMatchObject({ exitCode: 0, stderr: '' })
    const text = await readFile(join(directory, `${name}.lock.json`), 'utf8')
    await writeFile(join(directory, `${name}.lock.json`), text.replace('"depends"', '"depends" '))
    expect((await call(...lock, '--check')).stdout).toContain('out of date')
  }
  const moved = await call('lock', '--check', '-o', join(directory, 'by-path.lock.json'), '--no-index')
  expect(moved).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(`the wheel ${WHEEL.file}`) })
})

test.each(['./nope.whl', './nope-1.0-py3-none-any.whl'])(
  '%s does not exist, and the error says so',
  async (path) => {
    const { exitCode, stderr } = await call('image', 'build', '-p', path, '-o', join(directory, 'e.image'))
    expect(exitCode).toBe(1)
    expect(stderr).toMatch(/packages\[0\]: the file .*nope.* does not exist/)
  },
)

test('`brumate image` builds an image from a lock and saves it; the image can be shown and run', async () => {
  const [lock, file] = [join(directory, 'b.lock.json'), join(directory, 'b.image')]
  await call('lock', '-p', 'clicker', '-o', lock, ...offline)
  const built = await call('image', 'build', '--lock', lock, '-o', file, ...offline, '--json')
  expect(built.stderr).toBe('')
  const { id, packages } = JSON.parse(built.stdout)
  expect(packages).toEqual([{ name: 'clicker', version: '1.0', sha256: WHEEL.sha256 }])
  const shown = await call('image', 'show', file, '--json')
  expect(JSON.parse(shown.stdout)).toMatchObject({ id, packages, python: expect.stringMatching(/^3\.14/) })
  expect((await call('image', 'show', file)).stdout).toContain('\n  clicker  1.0\n')
  const code = ['-c', 'import clicker; print(clicker.__name__)']
  expect((await call('run', '--image', file, ...code)).stdout).toBe('clicker\n')
  expect((await call('run', '--lock', lock, ...offline, ...code)).stdout).toBe('clicker\n')
})

test('an error is printed to stderr, or to stdout with --json, and the exit code is 1', async () => {
  const args = ['lock', '-p', 'clickr', '-o', join(directory, 'c.lock.json'), ...offline]
  const { exitCode, stdout, stderr } = await call(...args)
  expect([exitCode, stdout]).toEqual([1, ''])
  expect(stderr).toMatch(/^brumate: clickr: there is no package.*did you mean click/)
  const json = await call(...args, '--json')
  expect(json.exitCode).toBe(1)
  expect(JSON.parse(json.stdout).error).toMatchObject({ code: 'PACKAGE', package: 'clickr' })
  expect((await call('image', 'show', join(directory, 'nowhere'))).stderr).toContain('cannot be opened')
})

test('an interrupted command exits with code 130', async () => {
  const controller = new AbortController()
  controller.abort(new Error('interrupted'))
  const streams = { stdout: { write: () => {} }, stderr: { write: () => {} } }
  const args = ['image', 'build', '-p', 'clicker', '-o', join(directory, 'd.image'), ...offline]
  expect(await run(args, streams, controller.signal)).toBe(130)
})

test('the console examples of docs/cli.md print the output shown there', () => {
  const examples = [...(pages['cli.md'] ?? '').matchAll(/<!-- example -->\n```console\n(.*?)```/gs)].map(
    ([, text = '']) => text,
  )
  expect(examples.length).toBeGreaterThan(0)
  // Runs in a shell in an empty directory, with `npx brumate` calling this build.
  const program = fileURLToPath(new URL('../program/index.js', DIST))
  const cwd = mkdtempSync(join(directory, 'shell-'))
  for (const text of examples) {
    const [, ...steps] = `\n${text}`.split('\n$ ').map((step) => step.trimEnd())
    const script = steps.map((step) => step.split('\n', 1)[0]).join('\n')
    const npx = `npx() { shift; '${process.execPath}' ${BRIEF.join(' ')} '${program}' "$@"; }`
    const output = execFileSync('sh', ['-c', `${npx}\n${script}`], {
      ...{ cwd, encoding: 'utf8' },
      env: { ...process.env, XDG_CACHE_HOME: dirname(inject('cacheDir')) },
    })
    const expected = steps.flatMap((step) => step.split('\n').slice(1))
    expect(output.trimEnd().split('\n')).toEqual(expected)
  }
})
