// C1, C2: every kind of Python object survives, in each way a snapshot can travel.
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Session, SessionManager } from 'brumate'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { sharedManager } from '../support/shared-manager.js'
import { SURVIVORS, type Survivor } from './support/survivors.js'

const run = promisify(execFile)
const THAW = fileURLToPath(new URL('support/thaw.mjs', import.meta.url))
const DIST = new URL('../../dist/', import.meta.url).href

let manager: SessionManager

beforeAll(async () => {
  manager = await sharedManager({ slots: 4 })
})

async function made({ before }: Survivor): Promise<Session> {
  const session = await manager.createSession({ tenant: 'survival', checkpoint: 'manual' })
  for (const code of before) await session.execute(code)
  return session
}

/** Snapshots by survivor, shared by the tests that thaw them elsewhere. */
const taken = new Map<Survivor, Uint8Array>()
async function bytesOf(survivor: Survivor): Promise<Uint8Array> {
  const known = taken.get(survivor)
  if (known) return known
  await using session = await made(survivor)
  return (await session.snapshotState()).toBytes()
}

describe('C2: in another session, while the original continues, and in the session it was taken from', () => {
  test.each(SURVIVORS)('$name', async (survivor) => {
    await using session = await made(survivor)
    const bytes = (await session.snapshotState()).toBytes()
    taken.set(survivor, bytes)
    await using other = await manager.createSession({ tenant: 'survival', from: bytes })
    expect((await other.execute(survivor.after)).value).toEqual(survivor.expected)
    expect((await session.execute(survivor.after)).value).toEqual(survivor.expected)
    await session.clearState()
    await session.execute('x = "not merged"; import os; os.chdir("/"); os.environ.pop("MARK", 0)')
    await session.restoreState(bytes)
    expect((await session.execute(survivor.after)).value).toEqual(survivor.expected)
  })
})

/** One process thaws all snapshots; each test checks one result. */
function describeInProcess(
  title: string,
  command: string,
  args: readonly string[],
  flags?: { version: string },
) {
  describe(title, () => {
    let directory: string
    let answers: Readonly<Record<string, unknown>>

    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), 'brumate-survival-'))
      const cases: { name: string; file: string; after: string }[] = []
      for (const [index, survivor] of SURVIVORS.entries()) {
        const file = join(directory, `${index}.snapshot`)
        await writeFile(file, await bytesOf(survivor))
        cases.push({ name: survivor.name, file, after: survivor.after })
      }
      const list = join(directory, 'cases.json')
      await writeFile(list, JSON.stringify({ dist: DIST, cacheDir: inject('cacheDir'), cases }))
      const options = { shell: process.platform === 'win32', maxBuffer: 64 * 1024 * 1024 }
      const { stdout } = await run(command, [...args, THAW, list], options)
      const report = JSON.parse(stdout) as { node: string; answers: Record<string, unknown> }
      if (flags) expect(report.node).toMatch(new RegExp(`^v${flags.version}\\.`))
      answers = report.answers
    }, 300_000)
    afterAll(() => rm(directory, { recursive: true, force: true }))

    test.each(SURVIVORS)('$name', ({ name, expected }) => {
      expect(answers[name]).toEqual({ value: plain(expected) })
    })
  })
}

/** The value as the other process writes it: bytes as hexadecimal text. */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, member) =>
      member instanceof Uint8Array ? Buffer.from(member).toString('hex') : member,
    ),
  )
}

describeInProcess('C1, C2: in another process', process.execPath, [])

const other = process.version.startsWith('v24.') ? '20' : '24'
// Not under the oldest Node, because another Node has to be fetched; newer ones do it.
if (!process.version.startsWith('v20.'))
  describeInProcess(`C1, C2: under another version of Node (${other})`, 'npx', ['-y', `node@${other}`], {
    version: other,
  })
