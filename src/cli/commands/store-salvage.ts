// `brumate store salvage`.
import { readFile } from 'node:fs/promises'
import type { SalvagedSession, SalvageResult, SkippedSession } from '../../manager/salvage-store.js'
import { SessionManager } from '../../manager.js'
import { count } from '../../shared/count.js'
import { BrumateError, type StoreError } from '../../shared/errors.js'
import { messageOf } from '../../shared/thrown.js'
import { type Command, type CommandInput, integerOf, textOf, textsOf, UsageError } from '../command.js'
import { EXIT_INTERRUPTED } from '../exit-codes.js'
import { openStore, STORE_FORMS, STORE_OPTIONS } from '../open-store.js'
import { printable } from '../text.js'

/** How a session that could not be salvaged is reported. */
interface Failure {
  readonly id: string | undefined
  readonly tenant: string | undefined
  readonly code: string
  readonly message: string
}

const KEY_BYTES = 32
/** Limit for the names that are listed for one session; the rest is only counted. `--json` is always complete. */
const MOST_NAMES = 20

export const storeSalvage: Command = {
  usage: '[STORE] (--image FILE | --standard) [--dry-run] [OPTIONS]',
  about: `After an upgrade, moves the sessions of other images to a new image: each keeps the globals that are plain values, and loses the rest. The store keeps a session's old state until the new one replaces it. Sessions that a running process has are left alone. Run it again to continue after an interruption. Exit code 1 if a session could not be salvaged. ${STORE_FORMS}`,
  options: {
    image: {
      ...{ type: 'string', multiple: true, value: 'FILE' },
      help: 'the new image; sessions of further ones are left as they are',
    },
    standard: { type: 'boolean', help: 'the new image is the one without packages' },
    'dry-run': { type: 'boolean', help: 'change nothing, and say what would be lost' },
    'take-over': { type: 'boolean', help: 'also take sessions that a running process has' },
    from: {
      ...{ type: 'string', multiple: true, value: 'ID' },
      help: 'only sessions of this image, by its id',
    },
    tenant: { type: 'string', value: 'NAME', help: 'only sessions of this tenant' },
    prefix: { type: 'string', value: 'TEXT', help: 'only sessions whose id begins with it' },
    label: {
      ...{ type: 'string', multiple: true, value: 'NAME=VALUE' },
      help: 'only sessions with this label',
    },
    slots: { type: 'string', value: 'N', help: 'sessions at a time; default: 4 for each core' },
    'key-file': {
      ...{ type: 'string', value: 'FILE' },
      help: "the managers' snapshotKey: 32 bytes, or 64 hexadecimal digits",
    },
    'cache-dir': { type: 'string', value: 'DIR', help: 'where the image without packages is cached' },
    ...STORE_OPTIONS,
  },
  positionals: [0, 1],
  async run({ values, positionals: [location], signal, progress }) {
    const images = imagesOf(values)
    const labels = labelsOf(values)
    const slots = integerOf(values, 'slots', 1, 1024)
    const [keyFile, tenant, prefix, cacheDir] = ['key-file', 'tenant', 'prefix', 'cache-dir'].map((name) =>
      textOf(values, name),
    )
    const snapshotKey = keyFile === undefined ? undefined : await readKey(keyFile)
    const fromImages = textsOf(values, 'from')
    const dryRun = values['dry-run'] === true
    const damaged: StoreError[] = []
    const store = await openStore(location, values, { onDamaged: (error) => damaged.push(error) })
    try {
      progress.show('opening the image …')
      await using manager = await SessionManager.create({
        store,
        ...(images.length === 0 ? {} : { images }),
        ...(slots === undefined ? {} : { slots }),
        ...(snapshotKey === undefined ? {} : { snapshotKey }),
        ...(cacheDir === undefined ? {} : { cacheDir }),
        onProgress: ({ phase }) => progress.show(`building the image: ${phase ?? 'starting'} …`),
      })
      const result = await manager.salvageStore({
        ...(tenant === undefined ? {} : { tenant }),
        ...(prefix === undefined ? {} : { prefix }),
        labels,
        ...(fromImages.length === 0 ? {} : { fromImages }),
        dryRun,
        takeOver: values['take-over'] === true,
        signal,
        onProgress: ({ seen, salvaged, skipped, failed }) =>
          progress.show(
            `${count(seen, 'session')}: ${salvaged} ${dryRun ? 'to salvage' : 'salvaged'}, ${skipped} in use, ${failed} failed …`,
          ),
      })
      const failed = [
        ...damaged.map((error) => failure(error.sessionId, undefined, error)),
        ...result.failed.map(({ id, tenant, error }) => failure(id, tenant, error)),
      ]
      const { salvaged, skipped, current } = result
      const isEmpty = salvaged.length + skipped.length + failed.length + current === 0
      // Nothing but the error to report.
      if (result.stopped && isEmpty) throw result.stopped.error
      const stopped = result.stopped && failure(undefined, undefined, result.stopped.error)
      return {
        json: { dryRun, ...result, failed, stopped },
        text: summary(result, failed, dryRun, stopped),
        exitCode: stopped && signal.aborted ? EXIT_INTERRUPTED : failed.length > 0 || stopped ? 1 : 0,
      }
    } finally {
      await store.close?.()
    }
  },
}

/** The image without packages is not the default: a user who forgot `--image` would lose what only the other image has. */
function imagesOf(values: CommandInput['values']): readonly string[] {
  const images = textsOf(values, 'image')
  if (values.standard === true && images.length > 0)
    throw new UsageError('--image and --standard cannot be combined; give one of them')
  if (values.standard !== true && images.length === 0)
    throw new UsageError('missing target image: give --image FILE or --standard')
  return images
}

function labelsOf(values: CommandInput['values']): Readonly<Record<string, string>> {
  const pairs = textsOf(values, 'label').map((text) => {
    const at = text.indexOf('=')
    if (at < 1) throw new UsageError(`--label ${printable(text)}: expected NAME=VALUE`)
    return [text.slice(0, at), text.slice(at + 1)] as const
  })
  return Object.fromEntries(pairs)
}

async function readKey(path: string): Promise<Uint8Array> {
  let bytes: Buffer
  try {
    bytes = await readFile(path)
  } catch (cause) {
    throw new UsageError(`--key-file: ${messageOf(cause, path)}`)
  }
  if (bytes.length === KEY_BYTES) return new Uint8Array(bytes)
  const text = bytes.toString('latin1').trim()
  if (/^[0-9a-f]{64}$/i.test(text)) return new Uint8Array(Buffer.from(text, 'hex'))
  throw new UsageError(
    `--key-file ${path}: expected ${KEY_BYTES} bytes, or ${2 * KEY_BYTES} hexadecimal digits`,
  )
}

function failure(id: string | undefined, tenant: string | undefined, error: unknown): Failure {
  const code = error instanceof BrumateError ? error.code : 'INTERNAL'
  return { id, tenant, code, message: messageOf(error, 'it failed') }
}

function summary(
  { salvaged, skipped, current }: SalvageResult,
  failed: Failure[],
  dryRun: boolean,
  stopped: Failure | undefined,
): string {
  const lossy = salvaged.filter(({ lost }) => losses(lost).length > 0)
  const whole = salvaged.length - lossy.length
  const would = dryRun ? 'would be ' : ''
  return [
    `${count(salvaged.length, 'session')} ${would}salvaged`,
    ...lossy.map(({ id, tenant, lost }) => `  ${nameOf(id, tenant)}: lost ${losses(lost).join('; ')}`),
    ...(lossy.length > 0 && whole > 0 ? [`  ${count(whole, 'session')} without loss`] : []),
    ...(skipped.length > 0 ? [`${count(skipped.length, 'session')} in use, left alone`] : []),
    ...skipped.map(lineOfSkipped),
    ...(failed.length === 1 ? ['1 session failed, and stays as it was'] : []),
    ...(failed.length > 1 ? [`${failed.length} sessions failed, and stay as they were`] : []),
    ...failed.map(({ id, tenant, message }) => `  ${nameOf(id, tenant)}: ${printable(message)}`),
    `${count(current, 'session')} already on a target image`,
    ...(stopped ? [`stopped before the end: ${printable(stopped.message)}; run it again to continue`] : []),
  ].join('\n')
}

function lineOfSkipped({ id, tenant, ownerId, expiresAt }: SkippedSession): string {
  const owner = `manager ${printable(ownerId ?? '')}, until ${expiresAt?.toISOString()} at least`
  return `  ${nameOf(id, tenant)}: ${owner}`
}

function nameOf(id = 'a session', tenant?: string): string {
  return tenant === undefined || tenant === id ? printable(id) : `${printable(id)} (${printable(tenant)})`
}

function losses({ globals, files, pendingCalls }: SalvagedSession['lost']): string[] {
  return [
    ...(globals.length > 0 ? [names(globals)] : []),
    ...(files.length > 0 ? [`${count(files.length, 'file')}: ${names(files)}`] : []),
    ...(pendingCalls.length > 0 ? [`an execution that waits for ${names(pendingCalls)}`] : []),
  ]
}

function names(all: readonly string[]): string {
  const more = all.length > MOST_NAMES ? ` and ${all.length - MOST_NAMES} more` : ''
  return `${all.slice(0, MOST_NAMES).map(printable).join(', ')}${more}`
}
