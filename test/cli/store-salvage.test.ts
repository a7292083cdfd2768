// `brumate store salvage`: summary, JSON, exit codes and rejected options. test/store/ tests it with each kind of server.
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { DirectoryStore, Image, type SessionManager } from 'brumate'
import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest'
import { openManager } from '../support/manager.js'
import { OTHER_IMAGE, storeOld } from '../support/other-image.js'
import { callProgram, run } from '../support/program.js'

let directory: string
let path: string
let store: DirectoryStore
let manager: SessionManager
let standard: readonly string[]

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'brumate-salvage-'))
  path = join(directory, 'store')
  mkdirSync(path)
  store = new DirectoryStore(path)
  manager = await openManager({ store, slots: 2 })
  standard = ['--standard', '--cache-dir', inject('cacheDir'), '--slots', '1']
})
afterAll(async () => {
  await manager.close()
  rmSync(directory, { recursive: true, force: true })
})
beforeEach(async () => {
  for await (const { id } of manager.list()) await manager.delete(id)
})

const salvage = (...args: readonly string[]) => callProgram('store', 'salvage', ...args)

test('--dry-run says what would be lost; a real run salvages the sessions, and a second run finds nothing to do', async () => {
  await storeOld(manager, store, 'old-1')
  await storeOld(manager, store, 'old-2', { tenant: 'old-2', code: 'x = 1' })
  const image = join(directory, 'python.image')
  await (await Image.build({ cacheDir: inject('cacheDir') })).save(image)

  const dry = await salvage(path, '--image', image, '--dry-run', '--slots', '1')
  expect(dry).toEqual({
    exitCode: 0,
    stderr: '',
    stdout: [
      '2 sessions would be salvaged',
      '  old-1 (acme): lost f',
      '  1 session without loss',
      '0 sessions already on a target image\n',
    ].join('\n'),
  })
  expect((await store.get('old-1'))?.imageId).toBe(OTHER_IMAGE)

  const { exitCode, stdout } = await salvage(`file://${path}`, '--image', image, '--json', '--slots', '2')
  expect(exitCode).toBe(0)
  const lost = { globals: [], files: [], pendingCalls: [] }
  expect(JSON.parse(stdout)).toEqual({
    dryRun: false,
    salvaged: [
      { id: 'old-1', tenant: 'acme', fromImage: OTHER_IMAGE, lost: { ...lost, globals: ['f'] } },
      { id: 'old-2', tenant: 'old-2', fromImage: OTHER_IMAGE, lost },
    ],
    skipped: [],
    failed: [],
    current: 0,
  })
  const again = await salvage(path, ...standard)
  expect(again.stdout).toBe('0 sessions salvaged\n2 sessions already on a target image\n')
  const session = await manager.openSession('old-1')
  expect(await session.get('x')).toBe(41)
  await session.close()
})

test('sessions in use are listed and skipped, a failure gives exit code 1, and filters select sessions', async () => {
  const damage = (bytes: Uint8Array) => bytes.fill(0, bytes.length - 200, bytes.length - 100)
  await storeOld(manager, store, 'damaged', { change: damage })
  await storeOld(manager, store, 'busy')
  const busy = await manager.openSession('busy', { salvage: true })
  const { exitCode, stdout } = await salvage(path, ...standard, '--prefix', 'damaged')
  expect(exitCode).toBe(1)
  expect(stdout).toMatch(
    /^0 sessions salvaged\n1 session failed, and stays as it was\n {2}damaged \(acme\): .+\n0 sessions already on a target image/,
  )
  const [session, filter] = [
    ['--label', 'plan=free'],
    ['--tenant', 'acme', '--from', OTHER_IMAGE],
  ]
  expect((await salvage(path, ...standard, ...session)).stdout).toMatch(
    /^0 sessions salvaged\n0 sessions already on a target image/,
  )
  const all = await salvage(path, ...standard, ...filter, '--json')
  expect(all.exitCode).toBe(1)
  expect(JSON.parse(all.stdout)).toMatchObject({
    salvaged: [],
    skipped: [{ id: 'busy', tenant: 'acme', ownerId: expect.any(String) }],
    failed: [{ id: 'damaged', tenant: 'acme', code: 'SNAPSHOT', message: expect.any(String) }],
  })
  const text = await salvage(path, ...standard, '--prefix', 'busy')
  expect(text).toMatchObject({ exitCode: 0 })
  expect(text.stdout).toMatch(/1 session in use, left alone\n {2}busy \(acme\): manager [-\w]+, until \d{4}-/)
  const taken = await salvage(path, ...standard, '--prefix', 'busy', '--take-over')
  expect(taken.stdout).toMatch(/^1 session salvaged\n {2}busy \(acme\): lost f\n/)
  await busy.close().catch(() => {})
})

test('progress is shown on a terminal, and an interrupted run exits with code 130', async () => {
  await storeOld(manager, store, 'slow')
  const shown: string[] = []
  const streams = {
    stdout: { write: () => {} },
    stderr: { isTTY: true, columns: 80, write: (text: string) => shown.push(text) },
  }
  const args = ['store', 'salvage', path, ...standard]
  expect(await run([...args, '--dry-run'], streams, new AbortController().signal)).toBe(0)
  expect(shown.join('')).toContain('1 session: 1 to salvage, 0 in use, 0 failed …')
  expect(await run(args, streams, AbortSignal.abort())).toBe(130)
  expect((await store.get('slow'))?.imageId).toBe(OTHER_IMAGE)
})

test('control characters in names are escaped', async () => {
  await storeOld(manager, store, 'sly', { tenant: 'a\u001B[2J', code: 'open("b\\x1b[2J", "w").close()' })
  const { stdout } = await salvage(path, ...standard, '--dry-run')
  expect(stdout).toContain('sly (a\\u{1b}[2J): lost 1 file: ')
  expect(stdout).not.toContain('\u001B')
})

test('signed sessions can be salvaged only with their key, which is read from a file', async () => {
  const snapshotKey = new Uint8Array(32).fill(7)
  const signing = await openManager({ store, slots: 1, snapshotKey })
  const session = await signing.createSession({ id: 'signed', tenant: 'acme' })
  await session.execute('x = 1')
  await signing.close()
  const entry = await store.get('signed')
  if (entry)
    await store.put('signed', null, { ...entry, imageId: OTHER_IMAGE }, { generation: entry.generation })
  const [wrong, right] = [join(directory, 'wrong'), join(directory, 'right')]
  writeFileSync(wrong, new Uint8Array(32))
  writeFileSync(right, `${Buffer.from(snapshotKey).toString('hex')}\n`)
  const refused = await salvage(path, ...standard, '--key-file', wrong, '--json')
  expect(JSON.parse(refused.stdout).failed).toMatchObject([{ id: 'signed', code: 'SNAPSHOT' }])
  // The snapshot is really of this image, as if another process had salvaged the session first.
  const opened = await salvage(path, ...standard, '--key-file', right, '--json')
  expect(JSON.parse(opened.stdout)).toMatchObject({ salvaged: [], current: 1, failed: [] })
})

test.each([
  [[], 'missing target image: give --image FILE or --standard'],
  [['--standard'], 'missing store: give a directory or a URL, or set BRUMATE_STORE'],
  [['--standard', '--image', 'a'], '--image and --standard cannot be combined; give one of them'],
  [['/nowhere/store', '--standard'], 'there is no directory /nowhere/store'],
  [['mysql://host/db', '--standard'], 'there is no store for mysql://'],
  [['.', '--standard', '--table', 'a'], '--table is for stores of postgresql://'],
  [['.', '--standard', '--slots', '0'], '--slots 0: expected an integer from 1 to 1024'],
  [['.', '--standard', '--label', 'a'], '--label a: expected NAME=VALUE'],
  [['.', '--standard', '--key-file', 'package.json'], '--key-file package.json: expected 32 bytes'],
])('the command line %j is rejected with exit code 2', async (args, message) => {
  const { exitCode, stdout, stderr } = await salvage(...args)
  expect([exitCode, stdout]).toEqual([2, ''])
  expect(stderr).toContain(message)
})

test('the bundled program opens every kind of store without the clients of the other kinds', async () => {
  const program = fileURLToPath(new URL('../../dist/src/program/index.js', import.meta.url))
  const salvaged = async (location: string) => {
    const args = [program, 'store', 'salvage', '--json', ...standard]
    const env = {
      ...process.env,
      BRUMATE_STORE: location,
      AWS_ACCESS_KEY_ID: 'a',
      AWS_SECRET_ACCESS_KEY: 'b',
    }
    const ended = promisify(execFile)(process.execPath, args, { env }).catch((error) => error)
    return JSON.parse((await ended).stdout)
  }
  const nobody = '127.0.0.1:9'
  const refused = (server: string) => ({
    error: { code: 'STORE', message: expect.stringContaining(server) },
  })
  const locations = [
    [path, { salvaged: [], failed: [] }],
    [`postgresql://${nobody}/a`, refused('PostgreSQL')],
    [`redis://${nobody}`, refused('Redis')],
    [`s3://bucket?region=us-east-1&endpoint=http://${nobody}`, refused('S3')],
  ] as const
  await Promise.all(
    locations.map(async ([location, result]) => expect(await salvaged(location)).toMatchObject(result)),
  )
})
