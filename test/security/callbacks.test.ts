// Host calls of hostile Python; attacks by a compromised worker are in the corpus. The main thread calls nothing but the user's
// callbacks, its event loop keeps running, and other sessions are not affected.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { py } from '../support/session-code.js'
import { type CaseResult, Child } from './support/child.js'

interface Case {
  readonly steps: readonly string[]
  readonly timeoutMs?: number
  readonly limits?: Readonly<Record<string, number | null>>
}

interface Step {
  readonly kind: string
  readonly code?: string
  readonly value?: unknown
  readonly message?: string
  readonly peakMemoryBytes?: number
  readonly rssBytes: number
  readonly heapBytes: number
}

interface Output {
  readonly steps: readonly Step[]
  readonly calls: readonly unknown[]
  readonly count: number
  readonly after: Step
  readonly sibling: Step
  readonly pending: readonly unknown[]
  readonly polluted: boolean
}

const MIB = 2 ** 20

async function run(child: Child<Case, Output>, input: Case, deadlineMs = 60_000): Promise<Output> {
  const result: CaseResult<Output> = await child.run(input, deadlineMs)
  if (result.kind !== 'done') throw new Error(`main ${result.kind}: ${JSON.stringify(result)}`)
  expect(result.state.uncaught).toEqual([])
  expect([result.state.polluted, result.output.polluted]).toEqual([[], false])
  expect(result.output.sibling).toMatchObject({ value: '42' })
  return result.output
}

describe('hostile Python', () => {
  let main: Child<Case, Output>

  beforeAll(() => {
    main = new Child('callbacks')
  })
  afterAll(() => main?.close())

  it('B15: garbage written to the host-call descriptor at most ends the guest’s own session', async () => {
    for (const garbage of [
      "b''",
      "b'garbage'",
      "b'['",
      'bytes(100_000)',
      "b'(\\x03\\0\\0\\0i\\x01\\0\\0\\0u\\x04\\0\\0\\0nope{0'",
    ]) {
      const { steps, count } = await run(main, {
        steps: [
          `import os\ntry: os.write(0x3FFFFFFF, ${garbage})\nexcept OSError: pass\nimport time; time.sleep(0.05)`,
        ],
      })
      expect(['completed', 'error']).toContain(steps[0]?.kind)
      if (steps[0]?.kind === 'error') expect(steps[0]).toMatchObject({ code: 'INTERPRETER_CRASHED' })
      expect(count).toBe(0)
    }
  })

  it('B15, D27: a forged request is checked like any other call, and reaches only registered callbacks', async () => {
    const { calls } = await run(main, {
      steps: [
        py`
          import marshal, os, time
          for name in ('echo', 'constructor', '__proto__', 'toString'):
              os.write(0x3FFFFFFF, marshal.dumps((77, name, {'x': 1}), 2))
          time.sleep(0.05)
        `,
      ],
    })
    expect(calls).toEqual([{ x: 1 }])
  })

  it('B15: a guest that breaks the kernel’s call tables harms only itself', async () => {
    const { steps, count } = await run(main, {
      steps: [
        py`
          from _brumate.calls import CALLS
          import asyncio
          task = asyncio.create_task(echo(x=1))
          await asyncio.sleep(0)
          for call in CALLS.outstanding(): call.id = 999
          CALLS._last_id = -5
          async def safe(x):
              try: return await asyncio.wait_for(echo(x=x), 0.2)
              except Exception as error: return type(error).__name__
          [await safe(2)]
        `,
        py`
          CALLS._calls = {}; CALLS.outbox = None
          try: await safe(3)
          except BaseException: pass
        `,
      ],
      timeoutMs: 2000,
    })
    expect(steps.length).toBe(2)
    expect(count).toBeLessThanOrEqual(3)
  })

  it('D27: unknown names and wrong arguments sent through the kernel’s own functions reach no callback', async () => {
    const { steps, calls } = await run(main, {
      steps: [
        py`
          from _brumate.asking import ask, ask_sync
          seen = []
          for name in ('nope', 'constructor', '__proto__', 'toString', 'iterator.next', 'iterator.close', ''):
              for how in (ask, ask_sync):
                  try:
                      got = how(name, {})
                      seen.append(await got if how is ask else got)
                  except Exception as error: seen.append(type(error).__name__)
          seen
        `,
      ],
    })
    const nobody = Array.from({ length: 8 }, () => "'NameError'")
    expect(steps[0]?.value).toBe(
      `[${[...nobody, "'HostError'", "'HostError'", 'None', 'None', "'NameError'", "'NameError'"].join(', ')}]`,
    )
    expect(calls).toEqual([])
  })

  const one =
    'async def one(times=1):\n    for _ in range(times):\n        try: await echo(x=1)\n        except RuntimeError: pass\n'
  it.each([
    ['of tasks', `await asyncio.gather(*[one() for _ in range(2_000)])`],
    ['of rounds', `await asyncio.gather(*[one(20) for _ in range(100)])`],
    [
      'through the door',
      `async def main(): await asyncio.gather(*[one() for _ in range(2_000)])\nasyncio.run(main())`,
    ],
    [
      'of calls that block',
      `import brumate\nfor _ in range(1500):\n    try: brumate.call_sync('echo', x=1)\n    except RuntimeError: pass`,
    ],
  ])('D21, B6: a flood %s stops at the limit, and calls below it are answered', async (_, flood) => {
    const { steps, count } = await run(main, {
      steps: [`import asyncio\n${one}\n${flood}\n'done'`],
      timeoutMs: 25_000,
    })
    expect(steps[0]).toMatchObject({ value: "'done'" })
    expect(count).toBe(1000)
  })
})

it('D2: twenty thousand callbacks in one session do not make memory grow on either side', async () => {
  const child = new Child<Case, Output>('callbacks', { flags: ['--expose-gc'] })
  try {
    const step = 'import asyncio\nfor _ in range(4): await asyncio.gather(*[echo(x=i) for i in range(1000)])'
    const { steps, count } = await run(
      child,
      {
        steps: Array.from({ length: 5 }, () => step),
        limits: { callbackInvocations: null },
        timeoutMs: 60_000,
      },
      150_000,
    )
    expect(count).toBe(20_000)
    const [first, last] = [steps[0], steps.at(-1)]
    // 16,000 calls lie between the two: this allows about 80 bytes for each.
    expect((last?.heapBytes ?? 0) - (first?.heapBytes ?? 0)).toBeLessThan(1.25 * MIB)
    // A worker frees message buffers only once they add up to some tens of MiB.
    expect((last?.rssBytes ?? 0) - (first?.rssBytes ?? 0)).toBeLessThan(120 * MIB)
    expect(last?.peakMemoryBytes).toBe(first?.peakMemoryBytes)
  } finally {
    await child.close()
  }
}, 160_000)
