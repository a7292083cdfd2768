// The schemas of what clients send and receive. Owns the bounds on what they send; presentation/wire.ts has the same as types. A function
// of `z`, because that package is an optional peer, loaded only when a server is created.
import type { Z } from './hono.js'

/** Session ids, as clients choose them. */
const ID = /^[A-Za-z0-9_-]+$/
export const MAX_ID_LENGTH = 100
/** The server's own labels use the rest of the 32. */
export const MAX_LABELS = 12
const MAX_TOOLS = 100
const MAX_PATH_LENGTH = 4096
const MAX_TIMEOUT_MS = 2 ** 31 - 1
export const MAX_PAGE = 1000

export type Schemas = ReturnType<typeof schemasOf>

export function schemasOf(z: Z) {
  const count = z.number().int().min(0)
  const values = z.enum(['json', 'exact']).openapi({
    description:
      '`json`: values as JSON to read. `exact`: tagged JSON that keeps every type; `value`, arguments and displays then have this form.',
  })
  const id = z
    .string()
    .max(MAX_ID_LENGTH)
    .regex(ID)
    .openapi({ description: 'Letters, digits, `_` and `-`.', example: 'main' })
  const path = z
    .string()
    .min(1)
    .max(MAX_PATH_LENGTH)
    .regex(/^\/[^\0]*$/)
    .openapi({ description: 'Absolute, as in Python.', example: '/home/user/data.csv' })
  const flag = z.enum(['true', 'false'])
  const timeoutMs = z.number().min(1).max(MAX_TIMEOUT_MS).nullable()
  const labelText = z
    .string()
    .max(256)
    .regex(/^[^\0]*$/)
  const labels = z
    .record(
      z
        .string()
        .min(1)
        .max(64)
        .regex(/^[^\0]*$/),
      labelText,
    )
    .refine((given) => Object.keys(given).length <= MAX_LABELS, `at most ${MAX_LABELS} labels`)
  const limits = z
    .strictObject({
      executionTimeoutMs: timeoutMs,
      interruptGraceMs: z.number().min(0).max(60_000),
      callbackTimeoutMs: timeoutMs,
      callbackInvocations: count.max(1_000_000_000).nullable(),
      memoryBytes: z.number().int().min(67_108_864).max(4_294_967_296).nullable(),
      outputBytes: count.max(2 ** 31).nullable(),
      resultBytes: count.max(2 ** 31).nullable(),
      fileBytes: count.max(2 ** 40).nullable(),
      snapshotBytes: z
        .number()
        .int()
        .min(65_536)
        .max(2 ** 30)
        .nullable(),
    })
    .partial()
    .openapi('Limits')
  const tool = z
    .strictObject({
      name: z.string().min(1).max(100),
      description: z.string().max(10_000).optional(),
      parameters: z.record(z.string(), z.unknown()).optional().openapi({ description: 'JSON Schema.' }),
      webhook: z.url().max(2000).optional(),
    })
    .openapi('Tool')
  const pending = z
    .object({
      id: z.string(),
      name: z.string(),
      args: z.record(z.string(), z.unknown()),
      reason: z.string().optional(),
    })
    .openapi('PendingCall')
  const display = z.record(z.string(), z.unknown()).openapi('Display')
  const output = {
    stdout: z.string(),
    stderr: z.string(),
    displays: z.array(display),
    executionCount: count,
  }
  const result = z
    .object({
      status: z.enum(['completed', 'suspended']),
      ...output,
      value: z.unknown().optional(),
      exact: z.boolean(),
      lost: z.array(z.string()),
      repr: z.string().optional(),
      display,
      durationMs: z.number(),
      peakMemoryBytes: count,
      outputBytes: count,
      fileBytes: count,
      files: z.array(
        z.object({
          path: z.string(),
          change: z.enum(['created', 'changed', 'removed']),
          sizeBytes: count,
        }),
      ),
      moreFiles: count,
      callbackInvocations: count,
      pending: z.array(pending),
    })
    .openapi('Result')
  const outcome = z.enum(['interrupted', 'restored', 'reset', 'not-started'])
  const failure = z
    .object({
      code: z.string(),
      message: z.string(),
      type: z.string().optional(),
      detail: z.string().optional(),
      traceback: z.string().optional(),
      frames: z
        .array(z.object({ file: z.string(), line: count.optional(), function: z.string(), text: z.string() }))
        .optional(),
      exitCode: z.number().int().optional(),
      outcome: outcome.optional(),
      timeoutMs: z.number().optional(),
      limit: z.string().optional(),
      max: z.number().optional(),
      reason: z.string().optional(),
    })
    .openapi('Failure')
  const failed = z.object({ status: z.literal('error'), ...output, error: failure }).openapi('Failed')
  const session = z
    .object({
      id,
      labels: z.record(z.string(), z.string()),
      executionCount: count,
      createdAt: z.iso.datetime(),
      updatedAt: z.iso.datetime(),
      sizeBytes: count,
      imageId: z.string(),
      state: z.enum(['attached', 'dormant']),
      pending: z.array(pending).optional(),
      lostGlobals: z.array(z.string()).optional(),
    })
    .openapi('Session')
  const created = {
    labels: labels.optional(),
    env: z.record(z.string(), z.string()).optional(),
    limits: limits.optional(),
    tools: z.array(tool).max(MAX_TOOLS).optional(),
    input: z.boolean().optional(),
    image: z.string().max(200).optional(),
  }
  const running = {
    timeoutMs: timeoutMs.optional(),
    values: values.optional(),
    detached: z.boolean().optional(),
  }
  return {
    id,
    problem: z
      .looseObject({
        type: z.string(),
        title: z.string(),
        status: z.number().int(),
        detail: z.string(),
        code: z.string(),
      })
      .openapi('Problem'),
    create: z.strictObject({ id: id.optional(), ...created }).openapi('Create'),
    getOrCreate: z.strictObject(created).openapi('GetOrCreate'),
    session,
    sessions: z.object({ sessions: z.array(session), cursor: z.string().optional() }).openapi('Sessions'),
    sessionParams: z.object({ id }),
    variableParams: z.object({ id, name: z.string().min(1).max(1000) }),
    takeOver: z.object({ takeOver: flag.optional() }),
    list: z.object({
      prefix: z
        .string()
        .max(MAX_ID_LENGTH)
        .regex(/^[A-Za-z0-9_-]*$/)
        .optional(),
      label: z
        .union([z.string(), z.array(z.string())])
        .optional()
        .openapi({ description: '`NAME=VALUE`; may be given several times.' }),
      limit: z.coerce.number().int().min(1).max(MAX_PAGE).optional(),
      cursor: id.optional(),
    }),
    fork: z.strictObject({ id: id.optional(), labels: labels.optional() }).openapi('Fork'),
    execute: z.strictObject({ code: z.string().max(64 * 1024 * 1024), ...running }).openapi('Execute'),
    resume: z
      .strictObject({
        results: z.record(z.string(), z.unknown()).optional(),
        errors: z
          .record(
            z.string(),
            z.strictObject({ type: z.string().max(200).optional(), message: z.string().max(100_000) }),
          )
          .optional(),
        ...running,
      })
      .openapi('Resume'),
    execution: z.union([result, failed]).openapi('Execution'),
    idempotency: z.object({ 'idempotency-key': z.string().min(1).max(256).optional() }),
    pending: z.object({ pending: z.array(pending) }).openapi('PendingCalls'),
    valuesQuery: z.object({ values: values.optional(), takeOver: flag.optional() }),
    setVariable: z.strictObject({ value: z.unknown(), values: values.optional() }).openapi('SetVariable'),
    variable: z.object({ value: z.unknown() }).openapi('Variable'),
    toolsQuery: z.object({ format: z.enum(['python', 'openai', 'anthropic']).optional() }),
    tools: z
      .object({ stubs: z.string().optional(), tools: z.array(z.unknown()).optional() })
      .openapi('Tools'),
    snapshotQuery: z.object({ salvage: flag.optional(), takeOver: flag.optional() }),
    restored: z.object({ lostGlobals: z.array(z.string()) }).openapi('Restored'),
    fileQuery: z.object({ path, takeOver: flag.optional() }),
    statQuery: z.object({ path, followLinks: flag.optional(), takeOver: flag.optional() }),
    removeQuery: z.object({ path, recursive: flag.optional(), takeOver: flag.optional() }),
    listed: z.object({ names: z.array(z.string()) }).openapi('Names'),
    status: z
      .object({
        path: z.string(),
        kind: z.enum(['file', 'directory', 'symlink']),
        sizeBytes: count,
        mode: count,
        modifiedAt: z.iso.datetime(),
      })
      .openapi('FileStatus'),
    mkdir: z.strictObject({ path, recursive: z.boolean().optional() }).openapi('MakeDirectory'),
    rename: z.strictObject({ from: path, to: path }).openapi('Rename'),
    health: z.object({ status: z.enum(['ok', 'draining']) }).openapi('Health'),
    webhookSecret: z.object({ secret: z.string() }).openapi('WebhookSecret'),
  }
}
