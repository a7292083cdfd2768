import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { OPEN_SCRIPT, type OpenReport, openImage } from './built.js'

const run = promisify(execFile)

describe('an image depends only on its inputs', () => {
  let directory: string
  let id: string

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'brumate-image-'))
    id = (await openImage({ cacheDir: inject('cacheDir') })).id
  })
  afterAll(() => rm(directory, { recursive: true, force: true }))

  async function build(
    name: string,
    command: string,
    args: string[],
    env: NodeJS.ProcessEnv,
  ): Promise<OpenReport> {
    const options = { cwd: directory, env: { ...process.env, ...env }, shell: process.platform === 'win32' }
    const { stdout } = await run(command, [...args, OPEN_SCRIPT, join(directory, name)], options)
    return JSON.parse(stdout) as OpenReport
  }

  // Both claims are about a whole build, so that one serves both.
  test('a second build has the same bytes, in another time zone, locale and directory, and several processes at once build only one', async () => {
    const env = { TZ: 'Asia/Tokyo', LANG: 'de_DE.UTF-8', HOME: directory, PYTHONHASHSEED: '7', NO_COLOR: '1' }
    const reports = await Promise.all(
      Array.from({ length: 3 }, () => build('same', process.execPath, [], env)),
    )
    const builders = reports.filter(({ progress }) => progress.includes('building'))
    expect(builders).toEqual([{ id, progress: ['building', 'built'], node: process.version }])
    expect(reports.map((report) => report.id)).toEqual([id, id, id])
    const left = await readdir(join(directory, 'same'))
    expect(left.map((name) => name.replace(/^.*\./, ''))).toEqual(['image'])
  })

  // Skipped on the oldest Node, because another version has to be downloaded.
  test.skipIf(process.version.startsWith('v20.'))(
    'another version of Node builds the same bytes',
    async () => {
      const other = process.version.startsWith('v24.') ? '20' : '24'
      const report = await build('other', 'npx', ['-y', `node@${other}`], {})
      expect(report.node).toMatch(new RegExp(`^v${other}\\.`))
      expect(report).toMatchObject({ id, progress: ['building', 'built'] })
    },
    120_000,
  )
})
