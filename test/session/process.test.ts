// Tests that need a process of their own: that it exits, what it leaves behind, how much memory it holds.
import { existsSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { runProgram, startProgram } from '../support/session-process.js'

/** Thread and descriptor counts are read from Linux's /proc. */
const linux = existsSync('/proc/self/task')

describe('the end of a process', () => {
  test('A9: the process stays alive while an execution runs, and exits by itself, silently, once its managers are closed', {
    timeout: 120_000,
  }, async () => {
    // One process for all: a single manager that left something behind would keep it alive.
    const ended = await runProgram(`
      {
        const manager = await SessionManager.create({ ...options, slots: 2 })
        const session = await manager.createSession()
        console.log('idle:', (await session.execute('import time; time.sleep(0.1); 21 * 2')).value)
        await manager.close()
      }
      {
        const manager = await SessionManager.create({ ...options, slots: 1 })
        const session = await manager.createSession({ limits: { interruptGraceMs: 0 } })
        await session.execute('x = "kept"')
        await session.execute('x = 0; sum(range(10**12))', { timeoutMs: 50 }).catch(({ outcome }) => console.log('killed:', outcome))
        console.log('afterwards:', (await session.execute('x')).value)
        await manager.close()
      }
      for (let delayMs = 0; delayMs < 120; delayMs += 30) {
        const manager = await SessionManager.create({ ...options, slots: 2 })
        const creating = Array.from({ length: 2 }, () => manager.createSession().catch((error) => error))
        await new Promise((resolve) => setTimeout(resolve, delayMs))
        await manager.close()
        await Promise.all(creating)
      }
      console.log('closed while slots boot')
      const manager = await SessionManager.create({ ...options, slots: 2 })
      const sessions = [await manager.createSession(), await manager.createSession()]
      const calls = [sessions[0].execute('while True: pass'), sessions[1].execute('import time; time.sleep(60)')]
      calls.push(manager.createSession())
      const settled = Promise.allSettled(calls)
      setTimeout(() => manager.close(), 50)
      console.log('running, running, waiting:', ...(await settled).map(({ reason }) => reason?.code))
    `)
    expect({ ...ended, stdout: ended.stdout.split('\n') }).toEqual({
      code: 0,
      signal: null,
      stdout: [
        'idle: 42',
        'killed: restored',
        'afterwards: kept',
        'closed while slots boot',
        'running, running, waiting: SESSION_CLOSED SESSION_CLOSED SESSION_CLOSED',
        '',
      ],
      stderr: '',
    })
  })

  test.each([
    [
      'SIGTERM',
      'one spins, one awaits and one loops in C',
      ['while True: pass', 'import asyncio; await asyncio.sleep(60)', 'sum(range(10**12))'],
    ],
    ['SIGINT', 'one spins and one sleeps', ['while True: pass', 'import time; time.sleep(60)']],
  ] as const)(
    'A9: with a manager left open, %s ends the process while one session idles, %s',
    async (signal, _, codes) => {
      const program = startProgram(`
        const manager = await SessionManager.create({ ...options, slots: ${codes.length + 1} })
        await manager.createSession()
        const busy = []
        for (const code of ${JSON.stringify(codes)}) busy.push([await manager.createSession(), code])
        for (const [session, code] of busy) void session.execute(code, { timeoutMs: null })
        setTimeout(() => console.log('running'), 50)
      `)
      await program.printed('running')
      program.kill(signal)
      expect(await program.ended).toMatchObject({ code: null, signal, stderr: '' })
    },
  )

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
  test('A9: 20 concurrent sessions over 4 slots all finish, silently, and leave no thread or descriptor', {
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
        const values = await Promise.all(Array.from({ length: 20 }, async (_, n) => {
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
      right: 20,
      attached: 0,
      dormant: 0,
      queued: 0,
      executions: 60,
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
  // Four rounds of four threads miss that one time in eighteen. No other version does this.
  const ROUNDS = process.version.startsWith('v20.') ? 4 : 2
  test('A9: managers closed while slots load, and storages while their thread loads, leave no file open', {
    timeout: 120_000,
  }, async () => {
    const { stdout, stderr } = await runProgram(`${COUNTS}
      const four = (make) => Array.from({ length: 4 }, make)
      const kinds = {
        async managers() {
          const manager = await SessionManager.create({ ...options, slots: 4 })
          return { use: (make = four) => Promise.allSettled(make(() => manager.createSession())), close: () => manager.close() }
        },
        async storages() {
          const storages = four(() => new VfsStorage())
          return {
            use: () => Promise.allSettled(storages.map((storage) => storage.list('/'))),
            close: () => Promise.all(storages.map((storage) => storage.close())),
          }
        },
      }
      for (const [kind, open] of Object.entries(kinds)) {
        // A first life, so that what Node itself starts on first use is in the baseline.
        const first = await open()
        await first.use((make) => [make()])
        await first.close()
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
        console.log(kind, (await settledCounts(before)).descriptors - before.descriptors)
      }`)
    expect({ stdout, stderr }).toEqual({ stdout: 'managers 0\nstorages 0\n', stderr: '' })
  })

  // The full form, a thousand cycles after the first hundred, is a benchmark. A slot is 30 MiB: sixteen leaked slots would be 480, one
  // that boots or ends at the moment of the sample is 30, and V8 takes a while to collect in every thread.
  const MAX_GROWTH_MIB = 100

  test('A9: create, execute and close, 30 times with one tenant and 14 times with a tenant each, leak no slot and keep no session', {
    timeout: 120_000,
  }, async () => {
    const { stdout, stderr } = await runProgram(
      `
      // In a function of its own, so that no variable elsewhere holds on to the last session.
      async function life(manager, sessionOptions) {
        const session = await manager.createSession({ ...sessionOptions, onStdout() {} })
        await session.execute('import json; x = [json.dumps(n) for n in range(100)]; print(len(x))')
        await session.execute('1/0').catch(() => {})
        await session.close()
        return new WeakRef(session)
      }
      /** The growth of resident memory in MiB, and how many sessions the main thread keeps. The smallest of three samples is the memory that is really held. */
      async function cycles(manager, count, sessionOptions, from) {
        const samples = { first: [], last: [] }
        const closed = []
        for (let cycle = 0; cycle < count; cycle++) {
          closed.push(await life(manager, sessionOptions))
          const kind = cycle >= from && cycle < from + 6 ? 'first' : cycle >= count - 6 ? 'last' : undefined
          if (kind === undefined || cycle % 2 < 1) continue
          gc()
          samples[kind].push(process.memoryUsage.rss() / 2 ** 20)
        }
        let kept = closed.length
        for (let tries = 0; tries < 100 && kept > 0; tries++) {
          await new Promise((resolve) => setTimeout(resolve, 10))
          gc()
          kept = closed.filter((session) => session.deref() !== undefined).length
        }
        return { kept, growth: Math.min(...samples.last) - Math.min(...samples.first) }
      }
      const manager = await SessionManager.create({ ...options, slots: 2 })
      console.log(JSON.stringify([await cycles(manager, 30, { tenant: 'acme' }, 12), await cycles(manager, 14, {}, 0)]))
      await manager.close()
    `,
      ['--expose-gc'],
    )
    expect(stderr).toBe('')
    const results = JSON.parse(stdout) as { readonly kept: number; readonly growth: number }[]
    expect(results.map(({ kept }) => kept)).toEqual([0, 0])
    for (const { growth } of results) expect(growth).toBeLessThan(MAX_GROWTH_MIB)
  })
})
