// Invariant R1 for deeply nested data and calls: CPython's guards trigger before the thread's stack ends.

import type { Session, SessionManager } from 'brumate'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { pythonErrorOf } from '../support/session-code.js'
import { sharedManager } from '../support/shared-manager.js'

/** Far more levels than fit on the thread's stack. */
const DEPTH = 500_000
const DEFINITIONS = `
class A: pass
def python(n): return python(n + 1)
def through_c(n): return sorted([1], key=lambda _: through_c(n + 1))
def nested():
    a = []
    for _ in range(${DEPTH}): a = [a]
    return a
def objects():
    a = None
    for _ in range(${DEPTH}):
        b = A()
        b.a = a
        a = b
def iterators():
    a = iter([])
    for _ in range(${DEPTH}): a = map(str, a)
`

/** Operations that CPython completes at any depth. */
const WORKS: [what: string, code: string][] = [
  ['lists', 'a = nested()\ndel a'],
  ['objects', 'objects()'],
  ['iterators', 'iterators()'],
]
/** Operations that CPython refuses beyond some depth. */
const REFUSED: [what: string, expression: string, message: string][] = [
  ['json.loads', `json.loads('[' * ${DEPTH})`, 'while decoding a JSON array'],
  ['repr', 'repr(nested())', 'while getting the repr of an object'],
  ['a comparison', 'nested() == nested()', 'in comparison'],
  ['json.dumps', 'json.dumps(nested())', 'while encoding a JSON object'],
  ['pickle.dumps', 'pickle.dumps(nested())', 'while pickling an object'],
  ['calls through C code', 'through_c(0)', 'Stack overflow'],
  ['Python calls', 'python(0)', 'maximum recursion depth exceeded'],
]

describe.each(['fresh', 'thawed'])('deep recursion in a %s session', (kind) => {
  let manager: SessionManager
  let session: Session

  beforeAll(async () => {
    manager = await sharedManager({ slots: 1 })
    session = await manager.createSession({ checkpoint: 'manual', limits: { executionTimeoutMs: null } })
    await session.execute(`import json, pickle, sys\nsys.setrecursionlimit(${DEPTH})\n${DEFINITIONS}`)
    if (kind === 'thawed') await session.hibernate()
  })

  afterAll(() => session?.close())

  // One case of each kind is enough for a thawed session: its limits are in the memory that a snapshot restores.
  const some = <T>(cases: readonly T[]) => (kind === 'fresh' ? cases : cases.slice(0, 1))

  test.each(some(WORKS))('A5: %s nested 500,000 deep can be deleted', async (_, code) => {
    await session.execute(code)
  })

  test.each(some(REFUSED))('A5: %s too deep is a RecursionError', async (_, expression, message) => {
    const code = `try:\n    r = ${expression}\nexcept RecursionError as error:\n    r = str(error)\nr`
    expect((await session.execute(code)).value).toContain(message)
  })

  test('A5: an uncaught RecursionError shows its innermost frames', async () => {
    const { type, traceback } = await pythonErrorOf(
      session.execute('sys.setrecursionlimit(100_000)\npython(0)'),
    )
    expect(type).toBe('RecursionError')
    expect(traceback).toContain('[Previous line repeated 997 more times]')
  })
})
