// R3, S3: displays forged by user code. They are plain data or end the interpreter; the session then continues from its checkpoint.
import { InterpreterCrashedError } from 'brumate'
import { expect, test } from 'vitest'
import { DisplayList, readDisplay } from '../../src/session/displays.js'
import { MalformedValueError } from '../../src/shared/values/frames.js'
import { NO_VALUE } from '../../src/shared/values/value.js'
import { managerForTest } from '../support/manager.js'
import { rejectionOf } from '../support/session-code.js'

test.each([
  ['not a list', 'x'],
  ['a list without a number', ['image/png', 'a']],
  ['a dict', { 'text/plain': 'a' }],
  ['a type without a form', [0, 'text/plain']],
  ['a type that is not text', [0, 1, 'a']],
  ['a type that is a prototype key', [0, '__proto__', 'a']],
  ['a type that is too long', [0, 'x'.repeat(2000), 'a']],
  ['a form that is a number', [0, 'text/plain', 1]],
  ['a form that is nothing', [0, 'text/plain', NO_VALUE]],
  ['more forms than a display has', [0, ...Array(400).fill('a')]],
  ['in place of one that does not exist', [1, 'text/plain', 'a']],
  ['in place of a prototype', ['__proto__', 'text/plain', 'a']],
] as const)('a display that is %s is rejected', (_, message) => {
  expect(() => new DisplayList().follow(message as never)).toThrow(MalformedValueError)
})

test('displays are plain objects keyed by MIME type, and can be replaced and removed', () => {
  const list = new DisplayList()
  list.follow([0, 'text/plain', 'a', 'image/png', Uint8Array.of(1)] as never)
  list.follow([0])
  list.follow([2, 'text/plain', 'b'])
  expect(list.displays).toEqual([{ 'text/plain': 'a', 'image/png': Uint8Array.of(1) }, { 'text/plain': 'b' }])
  list.follow([])
  expect(list.displays).toEqual([])
  for (let n = 0; n < 1000; n++) list.follow([0])
  expect(() => list.follow([0])).toThrow('too many displays')
  expect(() => readDisplay(NO_VALUE)).toThrow(MalformedValueError)
})

test('forging displays costs a session its interpreter, and it continues from its checkpoint', async () => {
  const manager = await managerForTest({ slots: 2, limits: { resultBytes: 100_000 } })
  await using session = await manager.createSession({ checkpoint: 'manual' })
  await session.execute('kept = 1')
  await session.snapshotState()
  const send =
    'import marshal, os\nsend = lambda *ms: [os.write(0x3fff_fffe, m) for m in ms]\nshow = lambda v: send(marshal.dumps(v, 2))\n'
  for (const forged of [
    'show([{"a": "b"}])',
    'show([0, {str(i): "" for i in range(1000)}])',
    'show(5)',
    'show([0, "image/png", 5])',
    'show([3, "image/png", "x"])',
    'send(b"")',
    'send(b"[")',
    'for n in range(1001): show([0])',
  ]) {
    for (const end of ['1', '1 / 0']) {
      const error = await rejectionOf(InterpreterCrashedError, session.execute(`${send}${forged}\n${end}`))
      expect(error.outcome, forged).toBe('restored')
      expect(await session.get('kept')).toBe(1)
    }
  }
  // The host accepts no display past the limit.
  const { stdout, displays } = await session.execute(
    `${send}try:\n    show([0, "image/png", bytes(60_000)])\n    show([0, "image/png", bytes(60_000)])\nexcept OSError as e: print(e.strerror)`,
  )
  expect([stdout, displays.length]).toEqual(['File too large\n', 1])
  // A display sent while no execution runs is ignored.
  await session.execute(`${send}class Late:\n    def __del__(self): show([5])\nlate = Late()`)
  await session.set('late', 1)
  expect((await session.execute('late')).displays).toEqual([])
})
