// Opens the store that a command line names by a path or URL. Owns how the kind of store is recognized; only the client that it needs is
// loaded.
import { mkdir, stat } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { StoreError } from '../shared/errors.js'
import { messageOf } from '../shared/thrown.js'
import { DirectoryStore } from '../store/directory-store.js'
import type { SnapshotStore } from '../store/store.js'
import { type Option, type OptionValues, textOf, UsageError } from './command.js'

export const STORE_OPTIONS: Readonly<Record<string, Option>> = {
  table: { type: 'string', value: 'NAME', help: 'PostgreSQL: the table, if it is not the default one' },
  'key-prefix': { type: 'string', value: 'TEXT', help: 'Redis: what begins every key; default: brumate:' },
}

/** Text for the help of commands. */
export const STORE_FORMS =
  'STORE is a directory, postgresql://…, redis://…, or s3://BUCKET/PREFIX (with ?region=… and, for other servers, ?endpoint=…). Without it, the environment variable BRUMATE_STORE names the store, which keeps a password out of the list of processes.'

export interface StoreOpening {
  /** Whether to create a missing directory or table. If not, it is an error: a misspelt name would be a store without sessions. */
  readonly makesMissing?: boolean
  /** Called for damaged entries of a directory, which are then left out of its list. */
  readonly onDamaged: (error: StoreError) => void
}

/** @throws UsageError, InvalidOptionError, InstallationError when the client's package is missing */
export async function openStore(
  given: string | undefined,
  values: OptionValues,
  opening: StoreOpening,
): Promise<SnapshotStore> {
  const location = given ?? process.env.BRUMATE_STORE
  if (location === undefined || location === '')
    throw new UsageError('missing store: give a directory or a URL, or set BRUMATE_STORE')
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(location)?.[1]?.toLowerCase()
  const table = optionFor('table', scheme, ['postgres', 'postgresql'], values)
  const prefix = optionFor('key-prefix', scheme, ['redis', 'rediss'], values)
  switch (scheme) {
    case undefined:
      return openDirectory(location, opening)
    case 'file':
      return openDirectory(fileURLToPath(location), opening)
    case 'postgres':
    case 'postgresql': {
      const { PostgresStore } = await import('../stores/postgres/index.js')
      return new PostgresStore(location, { table, migrate: opening.makesMissing ?? false })
    }
    case 'redis':
    case 'rediss': {
      const { RedisStore } = await import('../stores/redis/index.js')
      return new RedisStore(location, { prefix })
    }
    case 's3': {
      const { S3Store } = await import('../stores/s3/index.js')
      const { configuration, bucket, prefix } = parseS3(location)
      return new S3Store(configuration, { bucket, prefix })
    }
    default:
      throw new UsageError(
        `there is no store for ${scheme}://; give a directory, postgresql://…, redis://… or s3://BUCKET/PREFIX`,
      )
  }
}

function optionFor(
  name: string,
  scheme: string | undefined,
  schemes: readonly string[],
  values: OptionValues,
): string | undefined {
  const value = textOf(values, name)
  if (value !== undefined && !schemes.includes(scheme ?? ''))
    throw new UsageError(`--${name} is for stores of ${schemes.at(-1)}://`)
  return value
}

async function openDirectory(
  path: string,
  { onDamaged, makesMissing }: StoreOpening,
): Promise<SnapshotStore> {
  if (makesMissing)
    await mkdir(path, { recursive: true, mode: 0o700 }).catch((cause) => {
      throw new UsageError(`the directory of the store cannot be made: ${messageOf(cause, path)}`)
    })
  const stats = await stat(path).catch(() => undefined)
  if (!stats?.isDirectory()) throw new UsageError(`there is no directory ${path}`)
  return new DirectoryStore(path, { onDamaged })
}

function parseS3(location: string): {
  readonly configuration: object
  readonly bucket: string
  readonly prefix: string | undefined
} {
  let url: URL
  try {
    url = new URL(location)
  } catch {
    throw new UsageError(`${location} is not a URL; expected s3://BUCKET/PREFIX`)
  }
  const [region, endpoint] = ['region', 'endpoint'].map((name) => url.searchParams.get(name) ?? undefined)
  const prefix = decodeURIComponent(url.pathname.slice(1))
  return {
    // The AWS SDK finds credentials and other settings in its usual places.
    configuration: {
      ...(region === undefined ? {} : { region }),
      // Servers other than S3 have no host name for each bucket.
      ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
    },
    bucket: url.hostname,
    prefix: prefix === '' ? undefined : prefix,
  }
}
