// JSON Schemas of the tools' arguments and results. Owns them, and the names that sessions may have.

const NAME = { type: 'string', pattern: '^[A-Za-z0-9_-]{1,64}$' }
const SESSION = {
  ...NAME,
  default: 'default',
  description: 'Name of the session; letters, digits, - and _. A new name makes a new session.',
}
const PATH = {
  ...{ type: 'string', minLength: 1, maxLength: 4096 },
  description: 'Absolute, or relative to the home directory of the session.',
}
const TEXT = { type: 'string' }
const COUNT = { type: 'integer', minimum: 0 }

const object = (properties: object, required: readonly string[] = []) => ({
  ...{ type: 'object' as const, properties, required: [...required], additionalProperties: false },
})

const nullable = (type: string) => ({ type: [type, 'null'] })

export const ARGUMENTS = {
  run: (maxTimeoutMs: number) =>
    object(
      {
        code: { type: 'string', minLength: 1, description: 'Python source code.' },
        session: SESSION,
        timeout: {
          ...{ type: 'number', exclusiveMinimum: 0, maximum: maxTimeoutMs / 1000 },
          description: 'Seconds that the code may run.',
        },
      },
      ['code'],
    ),
  reset: object({
    session: SESSION,
    delete: { type: 'boolean', default: false, description: 'Also remove the session itself.' },
    snapshot: { ...NAME, description: 'Delete this snapshot instead; the session stays as it is.' },
  }),
  none: object({}),
  snapshot: object({ session: SESSION, name: { ...NAME, description: 'Name of the snapshot.' } }, ['name']),
  restore: object({ session: SESSION, name: { ...NAME, description: 'Name of the snapshot.' } }, ['name']),
  fork: object({ session: SESSION, name: { ...NAME, description: 'Name of the new session.' } }, ['name']),
  readFile: object(
    {
      path: PATH,
      session: SESSION,
      offset: { ...COUNT, default: 0, description: 'Byte to start at, for a long text.' },
    },
    ['path'],
  ),
  writeFile: object(
    {
      path: PATH,
      content: TEXT,
      encoding: { enum: ['utf8', 'base64'], default: 'utf8', description: 'What `content` is.' },
      session: SESSION,
    },
    ['path', 'content'],
  ),
  listFiles: object({ path: { ...PATH, default: '.' }, session: SESSION }),
}

const FILE = object({ path: TEXT, change: { enum: ['created', 'changed', 'removed'] }, sizeBytes: COUNT }, [
  'path',
  'change',
])
const FRAME = object({ file: TEXT, line: nullable('integer'), function: TEXT, text: TEXT }, ['file', 'line'])
const FAILURE = object(
  {
    type: { type: 'string', description: "The exception's class, or what else ended the code." },
    message: TEXT,
    traceback: nullable('string'),
    frames: { type: 'array', items: FRAME, description: 'The innermost last.' },
  },
  ['type', 'message', 'traceback', 'frames'],
)
const STORED = object({ name: TEXT, updatedAt: TEXT, sizeBytes: COUNT, executionCount: COUNT }, [
  'name',
  'updatedAt',
  'sizeBytes',
])

export const RESULTS = {
  run: object(
    {
      session: TEXT,
      status: { enum: ['ok', 'error'] },
      stdout: TEXT,
      stderr: TEXT,
      repr: { ...nullable('string'), description: '`repr()` of the last expression.' },
      value: { description: 'The last expression as JSON. Missing if it has no such form, or is too large.' },
      error: { anyOf: [FAILURE, { type: 'null' }] },
      files: { type: 'array', items: FILE, description: 'Files that the code created, changed or removed.' },
      moreFiles: COUNT,
      executionCount: nullable('integer'),
      durationMs: nullable('integer'),
      notes: { type: 'array', items: TEXT },
    },
    ['session', 'status', 'stdout', 'stderr', 'repr', 'error', 'files', 'notes'],
  ),
  list: object({ sessions: { type: 'array', items: STORED }, snapshots: { type: 'array', items: STORED } }, [
    'sessions',
    'snapshots',
  ]),
  listFiles: object(
    {
      path: TEXT,
      entries: {
        type: 'array',
        items: object({ name: TEXT, type: TEXT, sizeBytes: COUNT }, ['name', 'type']),
      },
      more: COUNT,
    },
    ['path', 'entries', 'more'],
  ),
}
