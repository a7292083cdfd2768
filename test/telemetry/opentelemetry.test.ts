// `brumate/opentelemetry` with OpenTelemetry's own SDK: spans with their parents and attributes, and metrics.
import { context, metrics, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus'
import { MeterProvider } from '@opentelemetry/sdk-metrics'
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-node'
import { InvalidOptionError, MemoryStore, type Session, SessionManager, TimeoutError } from 'brumate'
import { openTelemetry } from 'brumate/opentelemetry'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest'
import { managerForTest, openManager } from '../support/manager.js'

const exporter = new InMemorySpanExporter()
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
const tracer = provider.getTracer('test')

beforeAll(() => provider.register())
beforeEach(() => exporter.reset())
afterAll(async () => {
  await provider.shutdown()
  for (const api of [trace, context, metrics]) api.disable()
})

const spansNamed = (name: string) => exporter.getFinishedSpans().filter((span) => span.name === name)

/** Each span as `parent > child`, in the order in which they ended. */
function tree(): string[] {
  const spans = exporter.getFinishedSpans()
  const names = new Map(spans.map((span) => [span.spanContext().spanId, span.name.replace('brumate.', '')]))
  return spans.map((span) => {
    const name = names.get(span.spanContext().spanId)
    const parent = names.get(span.parentSpanContext?.spanId ?? '')
    return parent === undefined ? `${name}` : `${parent} > ${name}`
  })
}

/** Runs code inside a new span, as a server does for a request. */
function request<T>(name: string, run: () => Promise<T>): Promise<T> {
  return tracer.startActiveSpan(name, async (span) => {
    try {
      return await run()
    } finally {
      span.end()
    }
  })
}

describe('spans', () => {
  let manager: SessionManager
  beforeAll(async () => {
    manager = await openManager({
      slots: 2,
      store: new MemoryStore(),
      durability: 'checkpoint',
      telemetry: openTelemetry({ attributes: { deployment: 'blue' } }),
    })
  })
  afterAll(() => manager.close())

  /** A host function whose client creates a span below the active one. */
  async function fetchPrice(): Promise<number> {
    await request('client', async () => {})
    return 42
  }

  test('a call is a span below its caller, and the operations it waited for are below it', async () => {
    const session = await manager.createSession({
      id: 'nested',
      tenant: 'acme',
      callbacks: { fetch: fetchPrice },
    })
    await session.execute('x = 1')
    await session.hibernate()
    exporter.reset()
    const result = await request('request', () => session.execute('await fetch()'))
    // Spare slots may boot at any time.
    expect(tree().filter((line) => line !== 'boot')).toEqual([
      'execute > acquire',
      'execute > thaw',
      'callback > client',
      'execute > callback',
      'execute > checkpoint',
      'execute > store',
      'request > execute',
      'request',
    ])
    const [execute] = spansNamed('brumate.execute')
    expect(execute?.attributes).toEqual({
      deployment: 'blue',
      'brumate.session.id': 'nested',
      'brumate.tenant': 'acme',
      'brumate.outcome': 'completed',
      'brumate.execution.number': 2,
      'brumate.execution.callbacks': 1,
      'brumate.execution.duration': result.durationMs / 1000,
    })
    expect(spansNamed('brumate.callback')[0]?.attributes).toMatchObject({ 'brumate.callback.name': 'fetch' })
    expect(spansNamed('brumate.thaw')[0]?.attributes['brumate.snapshot.size']).toBeGreaterThan(1_000)
    const [store] = spansNamed('brumate.store')
    expect([store?.kind, store?.attributes['brumate.store.operation']]).toEqual([SpanKind.CLIENT, 'write'])
    await session.delete()
  })

  test('two calls that wait for one session each have their own callbacks', async () => {
    const session = await manager.createSession({ callbacks: { fetch: fetchPrice } })
    exporter.reset()
    await Promise.all(
      ['first', 'second'].map((name) =>
        request(name, () => session.execute('import asyncio; await asyncio.sleep(0.01); await fetch()')),
      ),
    )
    for (const name of ['first', 'second']) {
      const traceId = spansNamed(name)[0]?.spanContext().traceId
      const spans = exporter.getFinishedSpans().filter((span) => span.spanContext().traceId === traceId)
      // The second call may wait for a checkpoint of the state that the first one left.
      const names = spans.map((span) => span.name).filter((one) => one !== 'brumate.checkpoint')
      expect(names).toEqual(['client', 'brumate.callback', 'brumate.execute', name])
    }
    await session.close()
  })

  test('an execution that a callback starts in another session is below the callback', async () => {
    const helper = await manager.createSession()
    const session = await manager.createSession({
      callbacks: { ask: async () => (await helper.execute('6 * 7')).value },
    })
    exporter.reset()
    expect((await session.execute('await ask()')).value).toBe(42)
    expect(tree()).toEqual(expect.arrayContaining(['callback > execute', 'execute > callback', 'execute']))
    await Promise.all([session.close(), helper.close()])
  })

  test('output and display listeners run inside the span of the call', async () => {
    const session = await manager.createSession()
    const active: (string | undefined)[] = []
    const listen = () => {
      active.push(trace.getActiveSpan()?.spanContext().spanId)
    }
    const code = 'print(1); display(2); import asyncio; await asyncio.sleep(0.01); print(3)'
    await session.execute(code, { onStdout: listen, onDisplay: listen })
    const execute = spansNamed('brumate.execute').at(-1)
    expect(active.length).toBeGreaterThanOrEqual(2)
    expect(new Set(active)).toEqual(new Set([execute?.spanContext().spanId]))
    await session.close()
  })

  test('an error sets the status and its code, and no span contains text of the code, its output or its error', async () => {
    const session = await manager.createSession({ limits: { interruptGraceMs: 5_000 } })
    exporter.reset()
    await expect(session.execute('print("secret"); raise ValueError("secret")')).rejects.toThrow('secret')
    await expect(session.execute('secret = 1\nwhile True: pass', { timeoutMs: 30 })).rejects.toThrow(
      TimeoutError,
    )
    const [python, timeout] = spansNamed('brumate.execute')
    expect(python?.status).toEqual({ code: SpanStatusCode.ERROR, message: 'PYTHON' })
    expect(python?.attributes).toMatchObject({ 'error.type': 'PYTHON', 'brumate.outcome': 'failed' })
    expect(timeout?.status).toEqual({ code: SpanStatusCode.ERROR, message: 'TIMEOUT' })
    expect(timeout?.attributes).toMatchObject({ 'error.type': 'TIMEOUT', 'brumate.outcome': 'interrupted' })
    expect(JSON.stringify(exporter.getFinishedSpans().map(textsOf))).not.toContain('secret')
    await session.close()
  })

  test('a callback that throws and one that suspends end differently, and resume is below its own caller', async () => {
    const session = await manager.createSession({
      callbacks: {
        refuse: () => {
          throw new RangeError('too far')
        },
        approve: (_, { suspend }) => suspend(),
      },
    })
    exporter.reset()
    const code = 'try: await refuse()\nexcept Exception: pass\nawait approve()'
    const { status, pending } = await session.execute(code)
    expect(status).toBe('suspended')
    await request('approval', () => session.resume({ results: { [pending[0]?.id ?? '']: true } }))
    const [refused, suspended] = spansNamed('brumate.callback')
    expect(refused?.status).toEqual({ code: SpanStatusCode.ERROR, message: 'RangeError' })
    expect(suspended?.status.code).toBe(SpanStatusCode.UNSET)
    expect(suspended?.attributes['brumate.outcome']).toBe('suspended')
    expect(spansNamed('brumate.execute').map(({ attributes }) => attributes)).toMatchObject([
      { 'brumate.outcome': 'suspended' },
      { 'brumate.outcome': 'completed', 'brumate.execution.resumed': true },
    ])
    expect(tree()).toContain('approval > execute')
    await session.close()
  })

  test('code creates spans only for existing functions, and only for as many calls as its limit allows', async () => {
    const limits = { callbackInvocations: 3 }
    const session = await manager.createSession({ limits, callbacks: { f: () => 1 } })
    exporter.reset()
    const code = `
import brumate
for name in ['f'] * 10 + ['missing'] * 10:
    try: brumate.call_sync(name)
    except Exception: pass`
    await session.execute(code)
    expect(spansNamed('brumate.callback')).toHaveLength(3)
    await session.close()
  })
})

test('work to evict a session is not part of the trace of the session that needs the slot', async () => {
  const manager = await managerForTest({ slots: 1, store: new MemoryStore(), telemetry: openTelemetry() })
  const stored = new Promise((resolve) =>
    manager.on('checkpoint', ({ type }) => type === 'stored' && resolve(type)),
  )
  const session = await manager.createSession({ id: 'evicted', checkpoint: 'manual' })
  await session.execute('x = 1')
  await request('request', async () => {
    await manager.createSession({ id: 'other' })
    await stored
  })
  const traceId = spansNamed('request')[0]?.spanContext().traceId
  const ofEvicted = exporter
    .getFinishedSpans()
    .filter(({ attributes }) => attributes['brumate.session.id'] === 'evicted')
  expect(ofEvicted.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['brumate.checkpoint', 'brumate.store']),
  )
  expect(ofEvicted.filter((span) => span.spanContext().traceId === traceId)).toEqual([])
})

test('a checkpoint that no call waits for is not part of any call’s trace', async () => {
  const manager = await managerForTest({ slots: 1, telemetry: openTelemetry() })
  const made = new Promise((resolve) => manager.on('checkpoint', resolve))
  await request('request', async () => {
    const session = await manager.createSession()
    await session.execute('x = 1')
    await made
  })
  const [checkpoint] = spansNamed('brumate.checkpoint')
  expect(checkpoint?.parentSpanContext).toBeUndefined()
})

test('a slot that boots for a caller is below that caller’s wait, and a spare slot is not', async () => {
  const manager = await managerForTest({ slots: 3, telemetry: openTelemetry() })
  const booted: number[] = []
  const allBooted = new Promise<void>((resolve) =>
    manager.on('slot', ({ type, slotId }) => {
      if (type === 'booted' && booted.push(slotId) === 3) resolve()
    }),
  )
  await request('request', async () => {
    await Promise.all([manager.createSession(), manager.createSession()])
    await allBooted
  })
  const parents = spansNamed('brumate.boot').map((span) => [
    span.attributes['brumate.slot.id'],
    tree()[exporter.getFinishedSpans().indexOf(span)],
  ])
  // The first slot is started before any caller asks.
  expect(Object.fromEntries(parents)).toEqual({ 1: 'boot', 2: 'acquire > boot', 3: 'boot' })
})

test('with recordExceptions, the span of a failed call contains the error', async () => {
  const telemetry = openTelemetry({ recordExceptions: true })
  const manager = await managerForTest({ slots: 1, telemetry })
  const session = await manager.createSession()
  await session.execute('1/0').catch(() => {})
  const [execute] = spansNamed('brumate.execute')
  expect(execute?.events).toMatchObject([
    { name: 'exception', attributes: { 'exception.message': 'ZeroDivisionError: division by zero' } },
  ])
})

test('metrics contain durations in seconds, figures of all managers, and sums that never decrease', async () => {
  const prometheus = new PrometheusExporter({ preventServerStart: true })
  const telemetry = openTelemetry({ meterProvider: new MeterProvider({ readers: [prometheus] }) })
  const managers = await Promise.all([1, 2].map(() => openManager({ slots: 2, telemetry })))
  const sessions: Session[] = []
  for (const manager of managers) sessions.push(await manager.createSession({ callbacks: { f: () => 1 } }))
  for (const session of sessions) await session.execute('await f()')
  await sessions[0]?.execute('1/0').catch(() => {})
  const scrape = async () => {
    const { resourceMetrics } = await prometheus.collect()
    return new PrometheusSerializer().serialize(resourceMetrics).split('\n')
  }
  const before = await scrape()
  expect(before).toEqual(
    expect.arrayContaining([
      'brumate_execute_duration_count{brumate_outcome="completed",otel_scope_name="brumate"} 2',
      'brumate_execute_duration_count{brumate_outcome="failed",error_type="PYTHON",otel_scope_name="brumate"} 1',
      'brumate_callback_duration_count{brumate_callback_name="f",otel_scope_name="brumate"} 2',
      'brumate_slot_count{brumate_slot_state="leased",otel_scope_name="brumate"} 2',
      'brumate_slot_limit{otel_scope_name="brumate"} 4',
      'brumate_session_count{brumate_session_state="attached",otel_scope_name="brumate"} 2',
      'brumate_queue_length{otel_scope_name="brumate"} 0',
      'brumate_execution_started_total{otel_scope_name="brumate"} 3',
      'brumate_session_opened_total{otel_scope_name="brumate"} 2',
    ]),
  )
  const boot = before.find((line) => line.startsWith('brumate_boot_duration_sum'))
  expect(Number(boot?.split(' ').at(-1))).toBeLessThan(60)
  expect(
    before.some((line) =>
      line.startsWith('brumate_boot_duration_bucket{otel_scope_name="brumate",le="0.05"}'),
    ),
  ).toBe(true)
  // Labels for tenant or session would create a time series for each.
  expect(before.join()).not.toMatch(/session_id|tenant/)
  await managers[0]?.close()
  const after = await scrape()
  expect(after).toContain('brumate_execution_started_total{otel_scope_name="brumate"} 3')
  expect(after).toContain(
    'brumate_session_count{brumate_session_state="attached",otel_scope_name="brumate"} 1',
  )
  await managers[1]?.close()
})

test('the telemetry option accepts the result of openTelemetry() and rejects a tracer', async () => {
  const options = { cacheDir: inject('cacheDir'), telemetry: tracer as never }
  await expect(SessionManager.create(options)).rejects.toThrow(InvalidOptionError)
  await expect(SessionManager.create(options)).rejects.toThrow('openTelemetry()')
})

/** All parts of a span that may contain text. */
function textsOf({ name, attributes, status, events, links }: ReadableSpan): unknown {
  return { name, attributes, status, events, links }
}
