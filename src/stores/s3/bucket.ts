// An S3Store's bucket: conditional writes of objects, the server's clock, errors with remedies. Owns the client of the AWS SDK.
import { StoreError } from '../../shared/errors.js'
import { type ClientFacts, callClient, type Diagnosis, loadClient } from '../../store/client-calls.js'

/** A client of the package `@aws-sdk/client-s3`. */
export interface S3Client {
  send(command: never, options?: never): Promise<unknown>
  destroy(): void
}

export interface ObjectBody {
  readonly bytes: Uint8Array
  readonly etag: string
  readonly modifiedAtMs: number
  readonly readAtMs: number
}

export interface ObjectName {
  readonly key: string
  readonly modifiedAtMs: number
}

export type Condition = { readonly ifMatch: string } | { readonly ifNoneMatch: '*' } | undefined

type Sdk = typeof import('@aws-sdk/client-s3')
interface Opened {
  readonly sdk: Sdk
  readonly client: InstanceType<Sdk['S3Client']>
}

export class Bucket {
  readonly #given: S3Client | object
  readonly #bucket: string
  readonly #facts: ClientFacts
  #opened: Promise<Opened> | undefined
  #clock: { readonly serverMs: number; readonly atMs: number } | undefined

  constructor(given: S3Client | object, bucket: string, timeoutMs: number) {
    this.#given = given
    this.#bucket = bucket
    this.#facts = { server: 'S3', timeoutMs, secrets: secretsOf(given), diagnose }
  }

  /** The server's time: the date of its last answer plus the time since. */
  get nowMs(): number {
    if (this.#clock === undefined) throw noDate()
    return this.#clock.serverMs + performance.now() - this.#clock.atMs
  }

  /** @returns undefined if there is no such object */
  async read(key: string, sessionId: string): Promise<ObjectBody | undefined> {
    return await this.#call(sessionId, async ({ sdk, client }) => {
      try {
        const command = new sdk.GetObjectCommand({ Bucket: this.#bucket, Key: key })
        const dated = { serverMs: Number.NaN }
        const answer = await client.send(this.#timed(command, dated))
        if (Number.isNaN(dated.serverMs)) throw noDate()
        const bytes = (await answer.Body?.transformToByteArray()) ?? new Uint8Array()
        const modifiedAtMs = answer.LastModified?.getTime() ?? 0
        return { bytes, etag: answer.ETag ?? '', modifiedAtMs, readAtMs: dated.serverMs }
      } catch (error) {
        if (codeOf(error) === 'NoSuchKey') return undefined
        throw error
      }
    })
  }

  /**
   * @returns whether the condition held; if not, nothing was written. A write that the client tried twice may have failed because of its
   * own first try.
   */
  async write(key: string, bytes: Uint8Array, condition: Condition, sessionId?: string): Promise<boolean> {
    return await this.#call(sessionId, async ({ sdk, client }) => {
      for (let tries = 1; ; tries += 1) {
        const command = new sdk.PutObjectCommand({
          Bucket: this.#bucket,
          Key: key,
          Body: bytes,
          ...(condition && 'ifMatch' in condition && { IfMatch: condition.ifMatch }),
          ...(condition && 'ifNoneMatch' in condition && { IfNoneMatch: condition.ifNoneMatch }),
        })
        try {
          await client.send(this.#timed(command))
          return true
        } catch (error) {
          const code = codeOf(error)
          if (condition && (code === 'PreconditionFailed' || code === 'NoSuchKey')) return false
          // Another conditional write was in progress. The next try shows which one won.
          if (code !== 'ConditionalRequestConflict' || tries === MOST_CONFLICTS) throw error
        }
      }
    })
  }

  /** With `ifMatch`, the object is kept if it has changed. Servers that do not support this condition for deletions ignore it. */
  async remove(key: string, sessionId?: string, ifMatch?: string): Promise<void> {
    await this.#call(sessionId, async ({ sdk, client }) => {
      const condition = ifMatch === undefined ? {} : { IfMatch: ifMatch }
      const command = new sdk.DeleteObjectCommand({ Bucket: this.#bucket, Key: key, ...condition })
      try {
        await client.send(this.#timed(command))
      } catch (error) {
        if (!['NoSuchKey', 'PreconditionFailed'].includes(codeOf(error))) throw error
      }
    })
  }

  /** Objects whose keys begin with `prefix`, after the key `after`. */
  async list(
    prefix: string,
    after: string | undefined,
    limit: number,
  ): Promise<{ readonly objects: ObjectName[]; readonly hasMore: boolean }> {
    return await this.#call(undefined, async ({ sdk, client }) => {
      const input = {
        Bucket: this.#bucket,
        Prefix: prefix,
        MaxKeys: limit,
        ...(after !== undefined && { StartAfter: after }),
      }
      const answer = await client.send(this.#timed(new sdk.ListObjectsV2Command(input)))
      const objects = (answer.Contents ?? []).flatMap(({ Key, LastModified }) =>
        Key === undefined ? [] : { key: Key, modifiedAtMs: LastModified?.getTime() ?? 0 },
      )
      return { objects, hasMore: answer.IsTruncated === true }
    })
  }

  async close(): Promise<void> {
    const opened = this.#opened
    this.#opened = undefined
    if (opened === undefined || isClient(this.#given)) return
    const { client } = await opened
    client.destroy()
  }

  async #call<T>(sessionId: string | undefined, call: (opened: Opened) => Promise<T>): Promise<T> {
    return await callClient(this.#facts, sessionId, async () => {
      this.#opened ??= this.#open()
      try {
        await this.#opened
      } catch (error) {
        this.#opened = undefined
        throw error
      }
      return await call(await this.#opened)
    })
  }

  async #open(): Promise<Opened> {
    const sdk = await loadClient('@aws-sdk/client-s3', () => import('@aws-sdk/client-s3'))
    const given = this.#given
    return { sdk, client: isClient(given) ? (given as unknown as Opened['client']) : new sdk.S3Client(given) }
  }

  /** Notes the date of the answer, even if the answer is an error. */
  #timed<T extends { readonly middlewareStack: { add(middleware: never, options: never): void } }>(
    command: T,
    dated = { serverMs: Number.NaN },
  ): T {
    type Answer = { readonly response?: { readonly headers?: Record<string, string> } }
    const middleware = (next: (args: unknown) => Promise<Answer>) => async (args: unknown) => {
      const answer = await next(args)
      dated.serverMs = Date.parse(answer.response?.headers?.date ?? '')
      if (!Number.isNaN(dated.serverMs)) this.#clock = { serverMs: dated.serverMs, atMs: performance.now() }
      return answer
    }
    // Innermost in the stack: further out, an error answer has become an exception.
    command.middlewareStack.add(middleware as never, { step: 'deserialize', priority: 'low' } as never)
    return command
  }
}

function noDate(): StoreError {
  const message =
    'the answers of the S3 server have no Date header, by which leases expire; use another server, or a proxy that keeps it'
  return new StoreError(message, { reason: 'unsuitable' })
}

const MOST_CONFLICTS = 20

function isClient(given: S3Client | object): given is S3Client {
  return typeof (given as Partial<S3Client>).send === 'function'
}

function secretsOf(given: object): string[] {
  const { credentials } = given as { credentials?: unknown }
  if (typeof credentials !== 'object' || credentials === null) return []
  const { secretAccessKey, sessionToken } = credentials as Record<string, unknown>
  return [secretAccessKey, sessionToken].filter((text) => typeof text === 'string' && text !== '') as string[]
}

/** The SDK uses S3's error code as the error's name. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return ''
  const { $metadata } = error as { readonly $metadata?: { readonly httpStatusCode?: number } }
  const isNamed = error.name !== 'Error' && error.name !== 'UnknownError'
  if (isNamed) return error.name
  // An answer without a body has only a status.
  return STATUS[$metadata?.httpStatusCode ?? 0] ?? error.name
}

const STATUS: Readonly<Record<number, string>> = {
  404: 'NoSuchKey',
  409: 'ConditionalRequestConflict',
  412: 'PreconditionFailed',
  501: 'NotImplemented',
}

function diagnose(_code: string, error: Error): Diagnosis | undefined {
  const [reason, remedy] = REMEDIES[codeOf(error)] ?? []
  return reason && remedy ? { reason, remedy } : undefined
}

const CREDENTIALS = 'give credentials that are allowed to read, write, delete and list objects of the bucket'
const REMEDIES: Readonly<Record<string, readonly [Diagnosis['reason'], string]>> = {
  NoSuchBucket: ['unsuitable', 'create the bucket, or correct its name'],
  AccessDenied: ['unavailable', CREDENTIALS],
  InvalidAccessKeyId: ['unavailable', CREDENTIALS],
  SignatureDoesNotMatch: ['unavailable', CREDENTIALS],
  ExpiredToken: ['unavailable', 'the credentials have expired; give new ones'],
  CredentialsProviderError: ['unavailable', CREDENTIALS],
  PermanentRedirect: ['unsuitable', 'the bucket is in another region; give that region'],
  NotImplemented: [
    'unsuitable',
    'this server has no conditional writes (If-None-Match, If-Match); use another',
  ],
  SlowDown: ['unavailable', 'the server is busy; try again'],
  TimeoutError: ['unavailable', 'see whether the server can be reached'],
}
