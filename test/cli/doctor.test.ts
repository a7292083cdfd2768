// `brumate doctor`: what it reports on this machine and on worse ones, and when its output is coloured.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, inject, test } from 'vitest'
import { callProgram } from '../support/program.js'

const DIST = new URL('../../dist/src/cli/', import.meta.url)
const { checkCache, checkMemory, checkNode } = (await import(
  new URL('doctor/machine.js', DIST).href
)) as typeof import('../../src/cli/doctor/machine.js')
const { hasColours } = (await import(
  new URL('colours.js', DIST).href
)) as typeof import('../../src/cli/colours.js')

test('`brumate doctor` finds no problem on this machine and reports it as JSON', async () => {
  const { exitCode, stdout, stderr } = await callProgram(
    'doctor',
    '--cache-dir',
    inject('cacheDir'),
    '--json',
  )
  expect([exitCode, stderr]).toEqual([0, ''])
  const { ok, checks } = JSON.parse(stdout) as { ok: boolean; checks: { name: string; status: string }[] }
  expect(ok).toBe(true)
  expect(checks.map(({ name }) => name)).toEqual([
    ...['Node', 'memory', 'cores', 'cache', 'image', 'session', 'result', 'interrupt'],
  ])
  expect(checks.filter(({ status }) => status === 'problem')).toEqual([])
})

test('an unusable image is reported as a problem with a fix, and the exit code is 1', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'brumate-doctor-'))
  const image = join(directory, 'damaged.image')
  writeFileSync(image, 'no image')
  const { exitCode, stdout } = await callProgram('doctor', '--cache-dir', directory, '--image', image)
  expect(exitCode).toBe(1)
  expect(stdout).toMatch(/\nproblem +image +.*damaged\.image.*\n +fix: /)
  expect(stdout).not.toContain('session  ')
  expect(stdout).not.toContain('\u001B')
  rmSync(directory, { recursive: true, force: true })
})

test('an old Node and too little memory are problems; an unknown Node and a cache that cannot be created are warnings', async () => {
  const [GB, MB] = [1e9, 1e6]
  expect(checkNode('20.19.0')).toMatchObject({ status: 'problem', fix: 'install Node 20.20 or newer' })
  expect(checkNode('20.20.0')).toMatchObject({ status: 'ok' })
  expect(checkNode('99.0.0')).toMatchObject({ status: 'warning' })
  expect(checkMemory(16 * GB, 0)).toMatchObject({ status: 'ok', message: expect.stringContaining('16.0 GB') })
  expect(checkMemory(16 * GB, 2 ** 63)).toMatchObject({ status: 'ok' })
  expect(checkMemory(16 * GB, 500 * MB)).toMatchObject({
    status: 'warning',
    message: expect.stringContaining("500.0 MB (the container's limit)"),
  })
  expect(checkMemory(16 * GB, 200 * MB)).toMatchObject({ status: 'problem' })
  expect(await checkCache('/dev/null/cache')).toMatchObject({ status: 'warning', fix: expect.any(String) })
})

test('output is coloured on terminals only, unless NO_COLOR or FORCE_COLOR is set', () => {
  const [terminal, file] = [{ isTTY: true, write: () => {} }, { write: () => {} }]
  expect(hasColours(terminal, {})).toBe(true)
  expect(hasColours(file, {})).toBe(false)
  expect(hasColours(terminal, { NO_COLOR: '1' })).toBe(false)
  expect(hasColours(terminal, { TERM: 'dumb' })).toBe(false)
  expect(hasColours(file, { FORCE_COLOR: '1' })).toBe(true)
  expect(hasColours(terminal, { FORCE_COLOR: '0' })).toBe(false)
})
