// Tests that need a process of their own: that it exits, what it leaves behind, how much memory it holds.
import { existsSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { sleep } from '../support/session-code.js'
import { runProgram, startProgram } from '../support/session-process.js'

/** Thread and descriptor counts are read from Linux's /proc. */
const linux = existsSync('/proc/self/task')

describe('the end of a process', () => {
  test('A9: with a closed manager, the process exits by itself with nothing on stderr', async () => {
    const ended = await runProgram(`
      const manager = await SessionManager.create({ ...options, slots: 2 })
      const session = await manager.createSession()
      console.log((await session.execute('21 * 2')).value)
      await manager.close()
    `)
    expect(ended).toEqual({ code: 0, signal: null, stdout: '42\n', stderr: '' })
  })

  test('A9: the process exits by itself when the manager is closed while sessions run and others wait', async () => {
    const ended = await runProgram(`
      const manager = await SessionManager.create({ ...options, slots: 2 })
      const sessions = [await manager.createSession(), await manager.createSession()]
      const calls = [sessions[0].execute('while True: pass'), sessions[1].execute('import time; time.sleep(60)')]
      calls.push(manager.createSession())
      const settled = Promise.allSettled(calls)
      setTimeout(() => manager.close(), 50)
      console.log((await settled).map(({ reason }) => reason?.code).join())
    `)
    expect(ended).toEqual({
      code: 0,
      signal: null,
      stdout: 'SESSION_CLOSED,SESSION_CLOSED,SESSION_CLOSED\n',
      stderr: '',
    })
  })

  test('A9: the process exits by itself after a timeout that killed a worker', async () => {
    const ended = await runProgram(`
      const manager = await SessionManager.create({ ...options, slots: 1 })
      const session = await manager.createSession({ limits: { interruptGraceMs: 0 } })
      await session.execute('x = "kept"')
      await session.execute('x = 0; sum(range(10**12))', { timeoutMs: 50 }).catch((error) => console.log(error.outcome))
      console.log((await session.execute('x')).value)
      await manager.close()
    `)
    expect(ended).toEqual({ code: 0, signal: null, stdout: 'restored\nkept\n', stderr: '' })
  })

  test.each([
    ['SIGTERM', 'idle', ''],
    ['SIGINT', 'idle', ''],
    ['SIGTERM', 'while a session spins', `void session.execute('while True: pass', { timeoutMs: null })`],
    ['SIGINT', 'while a session spins', `void session.execute('while True: pass', { timeoutMs: null })`],
    ['SIGINT', 'while a session sleeps', `void session.execute('import time; time.sleep(60)')`],
    ['SIGTERM', 'while a session awaits', `void session.execute('import asyncio; await asyncio.sleep(60)')`],
    ['SIGTERM', 'while a session loops in C', `void session.execute('sum(range(10**12))')`],
  ] as const)('A9: with a manager left open, %s ends the process %s', async (signal, _, code) => {
    const program = startProgram(`
      const manager = await SessionManager.create({ ...options, slots: 1 })
      const session = await manager.createSession()
      ${code}
      setTimeout(() => console.log('running'), 50)
    `)
    await program.printed('running')
    program.kill(signal)
    expect(await program.ended).toMatchObject({ code: null, signal, stderr: '' })
  })

  test('A9: closing managers while their slots boot does not end the process', {
    timeout: 120_000,
  }, async () => {
    const ended = await runProgram(`
      for (let delayMs = 0; delayMs < 120; delayMs += 30) {
        const manager = await SessionManager.create({ ...options, slots: 2 })
        const creating = Array.from({ length: 2 }, () => manager.createSession().catch((error) => error))
        await new Promise((resolve) => setTimeout(resolve, delayMs))
        await manager.close()
        await Promise.all(creating)
      }
      console.log('survived')
    `)
    expect(ended).toEqual({ code: 0, signal: null, stdout: 'survived\n', stderr: '' })
  })

  test('A9: process.exit works with a manager left open and a spinning session', async () => {
    const ended = await runProgram(`
      const manager = await SessionManager.create({ ...options, slots: 1 })
      const session = await manager.createSession()
      session.execute('while True: pass', { timeoutMs: null }).catch(() => {})
      setTimeout(() => process.exit(3), 50)
    `)
    expect(ended).toMatchObject({ code: 3, stderr: '' })
  })

  test('A9: a SIGTERM handler that closes the manager lets the process exit by itself', async () => {
    const program = startProgram(`
      const manager = await SessionManager.create({ ...options, slots: 1 })
      const session = await manager.createSession()
      process.once('SIGTERM', () => manager.close())
      session.execute('while True: pass', { timeoutMs: null }).catch((error) => console.log(error.code))
      setTimeout(() => console.log('running'), 50)
    `)
    await program.printed('running')
    program.kill('SIGTERM')
    expect(await program.ended).toMatchObject({ code: 0, stdout: 'running\nSESSION_CLOSED\n', stderr: '' })
  })
})

/** Counts threads and descriptors. Waits up to five seconds until they are down to the baseline, or half a second without one. */
const COUNTS = `
  import { readdirSync } from 'node:fs'
  import { setTimeout as sleep } from 'node:timers/promises'
  const counts = () => ({
    threads: readdirSync('/proc/self/task').length,
    descriptors: readdirSync('/proc/self/fd').length,
  })
  async function settledCounts(baseline) {
    let now = counts()
    for (let tries = 0; tries < 50; tries++) {
      if (baseline && now.threads <= baseline.threads && now.descriptors <= baseline.descriptors) break
      await sleep(baseline ? 100 : 10)
      now = counts()
    }
    return now
  }
`

describe.runIf(linux)('many sessions', () => {
  test('A9: 40 concurrent sessions over 4 slots all finish, silently, and leave no thread or descriptor', {
    timeout: 120_000,
  }, async () => {
    const { code, stdout, stderr } = await runProgram(`${COUNTS}
        // A first life, so that what Node itself starts on first use is in the baseline.
        const warm = await SessionManager.create({ ...options, slots: 1 })
        await (await warm.createSession()).execute('1')
        await warm.close()
        const before = await settledCounts()

        const manager = await SessionManager.create({ ...options, slots: 4, acquireTimeoutMs: 100_000 })
        const opened = []
        const values = await Promise.all(Array.from({ length: 40 }, async (_, n) => {
          const session = await manager.createSession()
          opened.push(n)
          await session.execute('x = ' + n)
          await session.execute('x += 1; print(x)')
          const { value, executionCount } = await session.execute('x')
          await session.close()
          return value === n + 1 && executionCount === 3
        }))
        const { attached, dormant, queued, counters } = manager.stats()
        await manager.close()
        const after = await settledCounts(before)
        console.log(JSON.stringify({
          right: values.filter(Boolean).length,
          mostOvertaken: Math.max(...opened.map((n, index) => index - n)),
          attached, dormant, queued, executions: counters.executions, crashes: counters.crashes,
          threadsLeft: after.threads - before.threads,
          descriptorsLeft: after.descriptors - before.descriptors,
        }))
      `)
    expect(stderr).toBe('')
    expect(JSON.parse(stdout)).toMatchObject({
      right: 40,
      attached: 0,
      dormant: 0,
      queued: 0,
      executions: 120,
      crashes: 0,
    })
    const { mostOvertaken, threadsLeft, descriptorsLeft } = JSON.parse(stdout)
    // Slots are given out in order, but which session is ready first among those that have one is chance.
    expect(mostOvertaken).toBeLessThan(12)
    expect(threadsLeft).toBeLessThanOrEqual(0)
    expect(descriptorsLeft).toBeLessThanOrEqual(0)
    expect(code).toBe(0)
  })

  // In Node 20, a thread that is ended while it opens a file asynchronously leaves it open: about one time in six at these moments.
  // Six rounds of four threads miss that one time in eighty. No other version does this.
  const ROUNDS = process.version.startsWith('v20.') ? 6 : 2
  const ENDED_WHILE_LOADING = `
    const before = await settledCounts()
    for (let round = 0; round < ${ROUNDS}; round++) {
      const loading = new Promise((resolve) => process.once('worker', (worker) => worker.once('online', resolve)))
      const opened = await open()
      const used = opened.use()
      await loading
      await sleep(Math.random() * 10)
      await opened.close()
      await used
    }
    console.log((await settledCounts(before)).descriptors - before.descriptors)
  `

  test.each([
    [
      'managers closed while slots load',
      `async () => {
        const manager = await SessionManager.create({ ...options, slots: 4 })
        return { use: () => Promise.allSettled(four(() => manager.createSession())), close: () => manager.close() }
      }`,
    ],
    [
      'storages closed while their thread loads',
      `async () => {
        const storages = four(() => new VfsStorage())
        return {
          use: () => Promise.allSettled(storages.map((storage) => storage.list('/'))),
          close: () => Promise.all(storages.map((storage) => storage.close())),
        }
      }`,
    ],
  ])('A9: %s leave no file open', { timeout: 120_000 }, async (_, open) => {
    const { stdout, stderr } = await runProgram(`${COUNTS}
      const four = (make) => Array.from({ length: 4 }, make)
      const open = ${open}
      // A first life, so that what Node itself starts on first use is in the baseline.
      const first = await open()
      await first.use()
      await first.close()
      ${ENDED_WHILE_LOADING}`)
    expect({ stdout, stderr }).toEqual({ stdout: '0\n', stderr: '' })
  })

  /** Prints resident memory in MiB after each second cycle. */
  const cycles = (count: number, sessionOptions: string) => `
    const manager = await SessionManager.create({ ...options, slots: 2 })
    const samples = []
    for (let cycle = 0; cycle < ${count}; cycle++) {
      const session = await manager.createSession(${sessionOptions})
      await session.execute('import json; x = [json.dumps(n) for n in range(100)]; print(len(x))')
      await session.close()
      if (cycle % 2 < 1) continue
      gc()
      samples.push(process.memoryUsage.rss() / 2 ** 20)
    }
    await manager.close()
    console.log(JSON.stringify(samples))
  `

  // The full form, a thousand cycles after the first hundred, is a benchmark. A slot is 30 MiB: sixteen leaked slots would be 480, one
  // that boots or ends at the moment of the sample is 30, and V8 takes a while to collect in every thread.
  const MAX_GROWTH_MIB = 100

  test.each([
    ['40 cycles of create, execute and close of one tenant', 40, `{ tenant: 'acme' }`, 6],
    ['20 cycles of create, execute and close of a tenant each', 20, '', 0],
  ])('A9: no slot is leaked over %s', { timeout: 120_000 }, async (_, count, sessionOptions, from) => {
    const { stdout, stderr } = await runProgram(cycles(count, sessionOptions), ['--expose-gc'])
    expect(stderr).toBe('')
    const samples = JSON.parse(stdout) as number[]
    // The smallest of a few samples is the memory that is really held.
    const growth = Math.min(...samples.slice(-3)) - Math.min(...samples.slice(from, from + 3))
    expect(growth).toBeLessThan(MAX_GROWTH_MIB)
  })

  test('A9: the main thread keeps nothing of a closed session', { timeout: 120_000 }, async () => {
    const { stdout, stderr } = await runProgram(
      `
      const manager = await SessionManager.create({ ...options, slots: 2 })
      // In a function of its own, so that no variable here holds on to the last one.
      async function life(options) {
        const session = await manager.createSession({ ...options, onStdout() {} })
        await session.execute('print(1)')
        await session.execute('1/0').catch(() => {})
        await session.close()
        return new WeakRef(session)
      }
      const closed = []
      for (const tenant of [undefined, undefined, undefined, undefined, 'acme', 'acme', 'acme']) {
        closed.push(await life({ tenant }))
      }
      let kept = closed.length
      for (let tries = 0; tries < 100 && kept > 0; tries++) {
        await new Promise((resolve) => setTimeout(resolve, 10))
        gc()
        kept = closed.filter((session) => session.deref() !== undefined).length
      }
      console.log(kept)
      await manager.close()
    `,
      ['--expose-gc'],
    )
    expect({ stdout, stderr }).toEqual({ stdout: '0\n', stderr: '' })
  })
})

test('A9: the process stays alive while an execution runs, and no longer than until its result', async () => {
  const program = startProgram(`
    const manager = await SessionManager.create({ ...options, slots: 1 })
    const session = await manager.createSession()
    console.log('running')
    console.log((await session.execute('import time; time.sleep(0.3); "result"')).value)
    await manager.close()
  `)
  await program.printed('running')
  await sleep(0)
  expect((await program.ended).stdout).toBe('running\nresult\n')
})
