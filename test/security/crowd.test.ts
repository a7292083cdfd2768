// G1, G9, G14, G17 at once (issue 5): a memory bomb, an output flood, a file bomb and a callback flood in four sessions. The process
// stays under what its slots may have and 300 MB, and four neighbours work on.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { py } from '../support/session-code.js'
import { Child } from './support/child.js'
import { expectUnharmed } from './support/contained.js'

const MIB = 2 ** 20
const SLOTS = 8
const MEMORY_BYTES = 96 * MIB
const TIMEOUT_MS = 4000

interface Crowd {
  readonly attacks: readonly string[]
  readonly limits: Readonly<Record<string, number>>
  readonly timeoutMs: number
}

interface Crowded {
  readonly came: readonly { kind: string; code?: string; type?: string }[]
  readonly worked: readonly { timesMs: readonly number[]; wrong: number }[]
  readonly after: readonly unknown[]
}

let child: Child<Crowd, Crowded>
beforeAll(() => {
  // JavaScript's own memory has a cap too: what piles up on main ends this process, and the test.
  child = new Child('crowd', { flags: ['--max-old-space-size=256'] })
})
afterAll(() => child?.close())

const MEMORY_BOMB = py`
  kept = []
  while True:
      try:
          while True: kept.append(bytearray(2**20))
      except MemoryError: pass
`
const OUTPUT_FLOOD = py`
  while True:
      try:
          while True: print('x' * 65536)
      except BaseException: pass
`
const FILE_BOMB = py`
  import itertools
  for n in itertools.count():
      try:
          with open(f'/tmp/{n}', 'wb') as file:
              while True: file.write(bytes(2**20))
      except OSError: pass
`
const CALLBACK_FLOOD = py`
  import asyncio
  async def one():
      try: await echo(x='x' * 1000)
      except Exception: pass
  kept = []
  while True:
      kept.extend(asyncio.create_task(one()) for _ in range(1000))
      await asyncio.sleep(0)
`

it('G1, G9, G14, G17: four floods at once stay in their slots, and four neighbours work on', async () => {
  const result = await child.run({
    attacks: [MEMORY_BOMB, OUTPUT_FLOOD, FILE_BOMB, CALLBACK_FLOOD],
    limits: { memoryBytes: MEMORY_BYTES, fileBytes: 32 * MIB },
    timeoutMs: TIMEOUT_MS,
  })
  if (result.kind !== 'done') throw new Error(`main ${result.kind}: ${JSON.stringify(result)}`)
  const { output, state } = result
  expectUnharmed(state)
  expect(output.came.map(({ kind }) => kind)).toEqual(['error', 'error', 'error', 'error'])
  for (const { code } of output.came)
    expect(['TIMEOUT', 'LIMIT', 'PYTHON', 'INTERPRETER_CRASHED']).toContain(code)
  expect(state.peakRssBytes).toBeLessThan(SLOTS * MEMORY_BYTES + 300_000_000)
  for (const { timesMs, wrong } of output.worked) {
    expect(wrong).toBe(0)
    // Ten milliseconds lie between two calls; a machine with other work to do has time for this many.
    expect(timesMs.length).toBeGreaterThan(15)
    expect(Math.max(...timesMs)).toBeLessThan(TIMEOUT_MS)
  }
  expect(output.after).toEqual([42, 42, 42, 42])
}, 90_000)
