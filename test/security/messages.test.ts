// A worker that is owned and sends what it likes (attacker level L3, ATTACKS.md D): the main thread is the real one, the worker
// is not. The session that such a worker serves ends typed, and main, its prototypes, its handles and the siblings are as before.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CaseResult, Child } from './support/child.js'
import {
  expectContained,
  type SandboxCase,
  type SandboxOutput,
  type StepResult,
} from './support/contained.js'
import { HostileBuild } from './support/hostile-build.js'

const MIB = 2 ** 20
const TIMEOUT_MS = 3000

let build: HostileBuild
let main: Child<SandboxCase, SandboxOutput>

beforeAll(() => {
  build = new HostileBuild()
  main = new Child('sandbox', { dist: build.dist, flags: ['--max-old-space-size=512'] })
})

afterAll(async () => {
  await main?.close()
  build?.remove()
})

/** The attack, and an honest call that waits behind it: on the same slot if that lived on, else on another. */
async function attack(
  name: string,
): Promise<{ readonly step: StepResult; readonly result: CaseResult<SandboxOutput> }> {
  // What the first call leaves cannot be captured, so it is what is lost with the slot.
  const result = await main.run({ steps: ['n + 1', name, 'n + 1'], timeoutMs: TIMEOUT_MS }, 25_000)
  const [, step, behind] = expectContained(result, undefined, TIMEOUT_MS)
  if (step === undefined) throw new Error('nothing ran')
  if (behind?.kind !== 'error') expect(behind).toMatchObject({ kind: 'result', value: '42' })
  return { step, result }
}

async function expectEnded(name: string): Promise<StepResult> {
  const { step } = await attack(name)
  expect(step).toMatchObject({ code: 'INTERPRETER_CRASHED', outcome: 'reset' })
  return step
}

describe('requests to main, which serves none', () => {
  it.each(['D1', 'D1-apply', 'D2', 'D3', 'D4', 'D6', 'D7', 'D8', 'D9'])(
    '%s ends the session',
    async (name) => {
      await expectEnded(name)
    },
  )
})

describe('replies that are none', () => {
  it.each([
    ...[
      'D11',
      'D11-proto',
      'D11-throw',
      'D13',
      'D16',
      'D16-none',
      'D17-foreign',
      'D17-proto',
      'D18-id',
      'D18-long-id',
    ],
    ...[
      'D18-null',
      'D18-undefined',
      'D18-text',
      'D18-number',
      'D18-bigint',
      'D18-array',
      'D18-map',
      'D18-date',
    ],
    ...[
      'D18-error',
      'D18-bytes',
      'D18-event',
      'D18-event-object',
      'D18-stream',
      'D18-output-id',
      'D18-output-text',
    ],
    ...['D18-kind', 'D18-value', 'D18-numbers', 'D18-exceeded', 'D18-reverted', 'E1-own-proto'],
    ...['D19-shared', 'D19-typed', 'D19-buffer', 'D22-fields', 'D22-sparse', 'D22-sparse-text', 'D23-deep'],
    ...['D19-blob', 'D26-long-reason'],
  ])('%s ends the session', async (name) => {
    await expectEnded(name)
  })

  it('D17: a second reply to one request is no reply to the next', async () => {
    const { step } = await attack('D17-twice')
    expect(step).toMatchObject({ kind: 'result', value: '42' })
  })

  it('E2: prototype keys in a payload give a session nothing but its own value', async () => {
    const { step } = await attack('E2-payload-keys')
    expect(step.kind).toBe('result')
  })

  it.each(['D18-negative', 'D18-huge'])(
    'D18: %s: a duration that is none harms no histogram',
    async (name) => {
      await attack(name)
    },
  )

  it('D19: a port among the data is not kept open', async () => {
    const { result } = await attack('D19-port')
    if (result.kind === 'done') expect(result.state.newResources).toBeLessThanOrEqual(2)
  })

  it('D26: no control character of a worker’s gets into an error’s text', async () => {
    for (const name of ['D26-reason', 'D24-control']) {
      const { message } = await expectEnded(name)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
      expect(message).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/)
    }
  })

  it('D24: no error’s text is longer than a page', async () => {
    const { message } = await expectEnded('D24-huge')
    expect(message?.length).toBeLessThan(3000)
  })
})

describe('floods', () => {
  it.each(['D21-events', 'D21-small-events', 'D21-ready', 'D21-refused'])(
    '%s: ends the session, and is not kept in main’s memory',
    async (name) => {
      const { step, result } = await attack(name)
      expect(step).toMatchObject({ kind: 'error', outcome: 'reset' })
      if (result.kind === 'done') expect(result.state.peakRssBytes).toBeLessThan(1200 * MIB)
    },
    40_000,
  )

  it.each(['D22-stdout', 'D22-event', 'D22-payload'])(
    'D22: %s, more than any limit allows, ends the session',
    async (name) => {
      const { step } = await attack(name)
      expect(step).toMatchObject({ kind: 'error', outcome: 'reset' })
      expect(step.code).not.toBe('TIMEOUT')
    },
  )

  it('D7: ports that come with messages are not kept', async () => {
    const { result } = await attack('D7-flood')
    if (result.kind === 'done') expect(result.state.newResources).toBeLessThanOrEqual(2)
  })
})

describe('ends', () => {
  it.each([
    ...[
      'D24-null',
      'D24-throw-null',
      'D24-object',
      'D24-getter',
      'D24-proxy',
      'D24-cause',
      'D24-symbol',
      'D24-inspect',
    ],
    ...['D25-exit', 'D25-exit-code'],
  ])('%s: ends the session typed', async (name) => {
    await expectEnded(name)
  })

  it.each(['D25-out-of-memory', 'D25-spin', 'D25-silent', 'D25-close-and-stay'])(
    '%s: the deadline ends the session',
    async (name) => {
      const { step } = await attack(name)
      expect(step).toMatchObject({ kind: 'error', outcome: 'reset' })
    },
  )

  it('D25, S2: a worker that closes its channel has ended, also without a deadline', async () => {
    await expectEnded('D25-close')
  })

  it('D25: a reply just before the end counts', async () => {
    const { step } = await attack('D25-answer-and-exit')
    if (step.kind === 'error') expect(step).toMatchObject({ code: 'INTERPRETER_CRASHED' })
  })
})

describe('S1: a worker that has served one tenant never serves another', () => {
  it.each(['P2-finish', 'P3-finish', 'D25-exit', 'D2', 'D25-close'])(
    'S1: after %s the next tenant meets a fresh thread',
    async (name) => {
      const tenants = new Child<{ first: string; second: string }, { repr?: string }>('tenants', {
        dist: build.dist,
      })
      const result = await tenants.run({ first: `${name} secret`, second: 'P2-secret' })
      await tenants.close()
      expect(result).toMatchObject({ kind: 'done', output: { repr: 'nothing' }, state: { uncaught: [] } })
    },
  )
})

describe('Piscina’s own channels, which an owned worker has as well', () => {
  it('P1: messages to the worker’s parent are heard by nobody', async () => {
    const { step } = await attack('P1-parent')
    expect(step).toMatchObject({ kind: 'error', outcome: 'reset' })
  })

  it.each([
    'P2-finish',
    'P3-null',
    'P3-undefined',
    'P3-unknown-task',
    'P3-no-task',
    'P3-deep-task',
    'P3-close',
    'P3-flood',
  ])('%s: ends the session, or nothing', async (name) => {
    const { step } = await attack(name)
    expect(step).toMatchObject({ kind: 'error', outcome: 'reset' })
  })
})
