// Messages of errors about small mistakes: the message alone says what to do.
import {
  Image,
  InvalidOptionError,
  type Session,
  SessionManager,
  Snapshot,
  StorageError,
  VfsStorage,
} from 'brumate'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openManager } from '../support/manager.js'
import { rejectionOf } from '../support/session-code.js'
import { sharedManager } from '../support/shared-manager.js'

let manager: SessionManager
let session: Session

beforeAll(async () => {
  manager = await sharedManager({ slots: 1 })
  session = await manager.createSession()
})
afterAll(() => session?.close())

const invalid = (call: Promise<unknown>) => rejectionOf(InvalidOptionError, call)

describe('an unknown option', () => {
  test.each([
    [{ slot: 4 }, 'did you mean `slots`?'],
    [{ idleTimeout: 4 }, 'did you mean `idleTimeoutMs`?'],
    [{ limits: { memory: 1 } }, 'did you mean `memoryBytes`?'],
    [{ limits: { timeoutMs: 1 } }, 'did you mean `executionTimeoutMs` or `callbackTimeoutMs`?'],
    [{ limits: { outputByte: 1 } }, 'did you mean `outputBytes`?'],
  ])('%j for a manager suggests the name that was meant', async (options, meant) => {
    expect((await invalid(SessionManager.create(options as never))).message).toContain(meant)
  })

  test('of a session, an execution or a callback also gets a suggestion, unless no name is similar', async () => {
    const session_ = invalid(manager.createSession({ onstdout: () => {} } as never))
    expect((await session_).message).toContain('did you mean `onStdout`?')
    const execution = invalid(session.execute('1', { timeout: 5 } as never))
    expect((await execution).message).toContain('did you mean `timeoutMs`?')
    const callback = invalid(session.setCallbacks({ f: { fn: () => 1, paramters: {} } } as never))
    expect((await callback).message).toContain('did you mean `parameters`?')
    const far = await invalid(manager.createSession({ zebra: 1 } as never))
    expect(far.message).not.toContain('did you mean')
  })
})

describe('a value of the wrong kind', () => {
  class Point {}
  test.each([
    [new Map(), 'got a Map'],
    [new Float64Array(5), 'got a Float64Array(5)'],
    [new Uint8Array(2), 'got a Uint8Array(2)'],
    [new ArrayBuffer(8), 'got an ArrayBuffer(8)'],
    [new Date(0), 'got a Date'],
    [new Point(), 'got a Point'],
    [() => 1, 'got a function'],
    [Symbol('s'), 'got a symbol'],
    [{}, 'got an object'],
    [Object.create(null), 'got an object'],
    [[1], 'got an array'],
    [new Proxy(new Map(), {}), 'got a Proxy'],
    [Object.create(Object.create(null, { constructor: { get: () => expect.fail() } })), 'got an object'],
  ])('is described by its class: %#', async (given, got) => {
    expect((await invalid(manager.createSession({ tenant: given as never }))).message).toContain(got)
  })
})

test('constructing a class that has no public constructor throws an error that names the factory to use', () => {
  const make = (Class: unknown) => () => new (Class as new () => unknown)()
  expect(make(SessionManager)).toThrow(InvalidOptionError)
  expect(make(SessionManager)).toThrow('SessionManager.create(')
  expect(make(Snapshot)).toThrow('Snapshot.fromBytes(')
  expect(make(Image)).toThrow('Image.build(')
})

test('setCallbacks() without an argument fails, and the callbacks stay', async () => {
  await session.setCallbacks({ keep: () => 'kept' })
  const error = await invalid((session.setCallbacks as () => Promise<void>)())
  expect([error.option, error.message]).toEqual(['callbacks', expect.stringContaining('{} removes them all')])
  expect((await session.execute('await keep()')).value).toBe('kept')
})

describe('a StorageError', () => {
  test('has the same message as an error of node:fs', async () => {
    await using storage = new VfsStorage()
    await storage.mkdir('/d')
    await storage.writeFile('/d/f', 'x')
    const messageOf = async (call: Promise<unknown>) => (await rejectionOf(StorageError, call)).message
    expect(await messageOf(storage.readFile('/x'))).toBe("ENOENT: no such file or directory, open '/x'")
    expect(await messageOf(storage.list('/x'))).toBe("ENOENT: no such file or directory, scandir '/x'")
    expect(await messageOf(storage.stat('/x'))).toBe("ENOENT: no such file or directory, stat '/x'")
    expect(await messageOf(storage.mkdir('/d'))).toBe("EEXIST: file already exists, mkdir '/d'")
    expect(await messageOf(storage.remove('/d'))).toBe("ENOTEMPTY: directory not empty, rm '/d'")
    expect(await messageOf(storage.rename('/x', '/y'))).toBe(
      "ENOENT: no such file or directory, rename '/x' -> '/y'",
    )
    const error = await rejectionOf(StorageError, storage.rename('/x', '/y'))
    expect(error).toMatchObject({ reason: 'ENOENT', path: '/x', syscall: 'rename', dest: '/y' })
  })
})

describe('a JSON Schema', () => {
  const withProperty = (property: unknown) =>
    session.setCallbacks({ f: { fn: () => 1, parameters: { type: 'object', properties: { a: property } } } })

  test.each([
    [
      { type: 'string', minLenght: 3 },
      'f.parameters.properties.a: unknown JSON Schema keyword "minLenght"; did you mean `minLength`?',
    ],
    [
      { anyOf: [{ typ: 'string' }] },
      'f.parameters.properties.a.anyOf[0]: unknown JSON Schema keyword "typ"; did you mean `type`?',
    ],
    [
      { type: 'string', format: 'emial' },
      'f.parameters.properties.a.format: unknown format "emial"; known: date, ',
    ],
  ])('with an unknown keyword or format is rejected: %j', async (property, message) => {
    expect((await invalid(withProperty(property))).message).toContain(message)
  })

  test('may have properties of any name, OpenAPI keywords, and names that begin with x-', async () => {
    await withProperty({
      type: 'object',
      nullable: true,
      'x-mine': 1,
      properties: { minLenght: { example: 'e' } },
    })
  })

  test.each([
    ['email', 'a@b.example', 'a@b@'],
    ['date', '2024-02-29', '2023-02-29'],
    ['date-time', '2024-02-29T23:59:60Z', '2024-02-29'],
    ['uuid', '123e4567-e89b-12d3-a456-426614174000', 'x'],
    ['uri', 'https://a.example/b?c=%20', '/b'],
    ['ipv4', '127.0.0.1', '127.0.0.256'],
    ['duration', 'P1DT2H', 'P'],
    ['regex', '^a+$', '('],
  ])('checks the format %s', async (format, good, bad) => {
    await session.setCallbacks({
      f: {
        fn: () => 'called',
        parameters: { type: 'object', properties: { a: { type: 'string', format } } },
      },
    })
    await session.set('texts', [good, bad])
    const { value } = await session.execute(
      'found = []\nfor a in texts:\n    try: found.append(await f(a))\n    except ValueError as error: found.append(str(error))\nfound',
    )
    expect(value).toEqual(['called', `f() argument 'a': must match format "${format}", got "${bad}" (str)`])
  })
})

test('a caller rejected while slots still boot is not told that all are in use', async () => {
  await using other = await openManager({ slots: 1, maxQueued: 0 })
  const [first, ...refused] = await Promise.allSettled(Array.from({ length: 3 }, () => other.createSession()))
  expect(first?.status).toBe('fulfilled')
  const messages = refused.map((one) => String((one as PromiseRejectedResult).reason))
  for (const message of messages) expect(message).toMatch(/0 of 1 slots are leased, 1 booting/)
})
