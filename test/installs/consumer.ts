// Code as a user would write it, with the exported types.
import {
  type Bytes,
  type Callbacks,
  type ExecuteResult,
  type ManagerOptions,
  PythonError,
  type Session,
  SessionManager,
  type Snapshot,
  type SnapshotStore,
  TimeoutError,
  type Value,
  VfsStorage,
} from 'brumate'
import { type OpenTelemetryOptions, openTelemetry } from 'brumate/opentelemetry'
import { sessionObject } from 'brumate/restate'
import { type ConformanceCase, storeConformance } from 'brumate/stores/conformance'
import { PostgresStore, type PostgresStoreOptions } from 'brumate/stores/postgres'
import { RedisStore, type RedisStoreOptions } from 'brumate/stores/redis'
import { S3Store, type S3StoreOptions } from 'brumate/stores/s3'

const options: ManagerOptions = { slots: 2, limits: { executionTimeoutMs: 1_000, memoryBytes: null } }
const callbacks: Callbacks = { now: () => new Date() }

export async function answer(code: string, signal: AbortSignal): Promise<Value | undefined> {
  const manager = await SessionManager.create(options)
  const session: Session = await manager.createSession({
    tenant: 'a',
    callbacks,
    onStdout: (chunk) => void chunk.length,
  })
  try {
    const result: ExecuteResult = await session.execute(code, { signal, timeoutMs: 500 })
    await session.set('x', { when: new Date(), bytes: new Uint8Array(3), some: [1, 2n, null, true] })
    return result.value ?? (await session.get('x'))
  } catch (error) {
    if (error instanceof TimeoutError) return error.outcome
    if (error instanceof PythonError) return error.type
    throw error
  } finally {
    await manager[Symbol.asyncDispose]()
  }
}

export async function response(
  storage: VfsStorage,
  snapshot: Snapshot,
  result: ExecuteResult,
): Promise<unknown[]> {
  const file: Bytes = await storage.readFile('/chart.png')
  const picture = result.display['image/png'] ?? ''
  return [
    new Response(file),
    new Blob([file, snapshot.toBytes()]),
    new Response(snapshot.toBytes()),
    new Blob([picture]),
  ]
}

export const storage = new VfsStorage({ maxBytes: 2 ** 20 })

// @ts-expect-error an option that does not exist
await SessionManager.create({ slot: 2 })
// @ts-expect-error a member that is internal
storage.connect

export function stores(
  postgres: PostgresStoreOptions,
  redis: RedisStoreOptions,
  s3: S3StoreOptions,
): SnapshotStore[] {
  return [
    new PostgresStore('postgresql://localhost/x', postgres),
    new RedisStore('redis://localhost', redis),
    new S3Store({ region: 'us-east-1' }, s3),
  ]
}

export async function observed(telemetry: OpenTelemetryOptions): Promise<() => void> {
  const manager = await SessionManager.create({ telemetry: openTelemetry(telemetry) })
  const { p99Ms, buckets } = manager.stats().histograms.thaw
  return manager.on('session', (event) => {
    if (event.type === 'woke') console.log(event.sessionId, event.durationMs > p99Ms, buckets.length)
  })
}

export const cases: ConformanceCase[] = storeConformance(
  () => stores({}, {}, { bucket: 'x' })[0] as SnapshotStore,
)

export async function restate(manager: SessionManager): Promise<string> {
  const sessions = sessionObject({
    manager,
    name: 'python',
    callbacks: {
      price: async (ctx, { order }, { idempotencyKey }) => ctx.run(() => `${order} ${idempotencyKey}`),
    },
  })
  const name: 'python' = sessions.name
  return name
}

// @ts-expect-error an option that does not exist
sessionObject({ manager: await SessionManager.create(), names: 'x' })
