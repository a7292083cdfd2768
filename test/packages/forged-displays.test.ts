// R3, S3: displays that the kernel did not make. They end the interpreter, or are plain data; the session goes on from its checkpoint.
import { InterpreterCrashedError } from 'brumate'
import { expect, test } from 'vitest'
import { readDisplay, readDisplays } from '../../src/session/displays.js'
import { MalformedValueError } from '../../src/shared/values/frames.js'
import { NO_VALUE } from '../../src/shared/values/value.js'
import { managerForTest } from '../support/manager.js'
import { rejectionOf } from '../support/session-code.js'

test.each([
  ['no list', 'x'],
  ['a list of text', ['image/png']],
  ['a list of dicts', [{ 'text/plain': 'a' }]],
  ['a type without a form', [['text/plain']]],
  ['a type that is no text', [[1, 'a']]],
  ['a type that is a prototype key', [['__proto__', 'a']]],
  ['a type without end', [['x'.repeat(2000), 'a']]],
  ['a form that is a number', [['text/plain', 1]]],
  ['a form that is nothing', [['text/plain', NO_VALUE]]],
  ['more forms than a display has', [Array(400).fill('a')]],
  ['more displays than there are', Array(1001).fill([])],
  ['more forms than all have', Array(900).fill(Array(200).fill('a'))],
] as const)('displays that are %s are refused', (_, list) => {
  expect(() => readDisplays(list as never)).toThrow(MalformedValueError)
})

test('displays are plain objects by MIME type', () => {
  expect(readDisplays(undefined)).toEqual([])
  expect(readDisplays([['text/plain', 'a', 'image/png', Uint8Array.of(1)], []])).toEqual([
    { 'text/plain': 'a', 'image/png': Uint8Array.of(1) },
    {},
  ])
  expect(() => readDisplay(NO_VALUE)).toThrow(MalformedValueError)
})

test('a session whose displays were forged loses its interpreter, and goes on', async () => {
  const manager = await managerForTest({ slots: 2, limits: { outputBytes: 100_000 } })
  await using session = await manager.createSession({ checkpoint: 'manual' })
  await session.execute('kept = 1')
  await session.snapshotState()
  for (const forged of [
    '[["image/png", bytes(200_000)]]',
    '[["image/png", bytes(60_000)], ["image/png", bytes(60_000)]]',
    '[{"a": "b"}]',
    '[{str(i): "" for i in range(100_000)}]',
    '5',
  ]) {
    for (const end of ['1', '1 / 0']) {
      const code = `import _brumate.displays as d\nd.Displays.finish = lambda self, last: ${forged}\nd.DISPLAYS.pending = True\n${end}`
      const error = await rejectionOf(InterpreterCrashedError, session.execute(code))
      expect(error.outcome).toBe('restored')
      expect(await session.get('kept')).toBe(1)
    }
  }
})
