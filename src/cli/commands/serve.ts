// `brumate serve`.
import type { ApiKey, Keyring } from '../../server/keys.js'
import type { ServeOptions } from '../../server/listen.js'
import { serve as serveHttp } from '../../server/listen.js'
import type { Quotas } from '../../server/quotas.js'
import type { WebhookOptions } from '../../server/webhooks/options.js'
import { messageOf } from '../../shared/thrown.js'
import { type Command, type CommandInput, integerOf, textOf, textsOf, UsageError } from '../command.js'
import { STORE_OPTIONS } from '../open-store.js'
import { keyLines, openServing, readKeys, SERVING_OPTIONS, untilStopped } from '../serving.js'

const DEFAULT_PORT = 8787
const MiB = 2 ** 20

export const serve: Command = {
  usage: '[--port PORT] [--keys FILE] [--store STORE] [OPTIONS]',
  about:
    'Serves Python sessions over HTTP; docs/server.md describes the API, and /openapi.json does on the server. With a store, sessions survive restarts: every result is stored before it is sent, and several servers can share the store. STORE is a directory, which is made if it is missing, or as of `brumate store salvage`; BRUMATE_STORE names it, too. Without a store, sessions end with the server. SIGTERM stops it: requests that are being answered may end, and sessions are stored.',
  options: {
    port: {
      type: 'string',
      value: 'PORT',
      help: `port to listen on, 0 for one that is free; default: ${DEFAULT_PORT}`,
    },
    host: {
      type: 'string',
      value: 'ADDRESS',
      help: 'address to listen on; others than 127.0.0.1 need --keys',
    },
    keys: {
      ...{ type: 'string', value: 'FILE' },
      help: 'API keys: lines of TENANT KEY, or JSON with quotas; each tenant has its own sessions',
    },
    'allow-host': {
      ...{ type: 'string', multiple: true, value: 'NAME' },
      help: 'a name that clients reach the server by',
    },
    cors: {
      ...{ type: 'string', multiple: true, value: 'ORIGIN' },
      help: 'web pages that may call, such as https://example.com; * for any',
    },
    librechat: { type: 'boolean', help: "also answer LibreChat's code API" },
    webhook: { type: 'string', value: 'URL', help: 'where calls of tools go that --tools has' },
    tools: {
      type: 'string',
      value: 'FILE',
      help: 'functions for Python: JSON of names with description and parameters',
    },
    'allow-webhooks': { type: 'boolean', help: 'sessions may have tools with webhooks of their own' },
    'private-webhooks': { type: 'boolean', help: 'webhooks may be on this machine or a private network' },
    'max-timeout': {
      type: 'string',
      value: 'SECONDS',
      help: 'longest run that a request may ask for; default: 600',
    },
    'max-upload': { type: 'string', value: 'MIB', help: 'longest upload; default: 256' },
    release: {
      type: 'string',
      value: 'SECONDS',
      help: 'how long a session stays open without requests; default: 60',
    },
    drain: {
      type: 'string',
      value: 'SECONDS',
      help: 'how long running code may continue after SIGTERM; default: 10',
    },
    ...SERVING_OPTIONS,
    ...STORE_OPTIONS,
  },
  positionals: [0, 0],
  async run(input) {
    const { values, signal, progress } = input
    const listening = listenOptions(values)
    const keyFile = textOf(values, 'keys')
    const keys = keyFile === undefined ? {} : parseKeys(await readKeys('keys', keyFile))
    const tools = await toolsOf(values)
    const webhooks = webhooksOf(values)
    const releaseSeconds = integerOf(values, 'release', 0, 86_400)
    const maxTimeoutSeconds = integerOf(values, 'max-timeout', 1, 86_400)
    const maxUploadMiB = integerOf(values, 'max-upload', 1, 1024)
    const drainMs = (integerOf(values, 'drain', 0, 86_400) ?? 10) * 1000
    await using serving = await openServing('serve', input)
    const { manager, timeoutMs, memoryBytes } = serving
    progress.clear()
    const [stopped, stopListening] = untilStopped(signal)
    try {
      const server = await serveHttp({
        ...{ manager, drainMs, executionTimeoutMs: timeoutMs, limits: { memoryBytes } },
        ...{ ...listening, ...keys, ...tools, ...webhooks, librechat: values.librechat === true },
        maxExecutionTimeoutMs: Math.max((maxTimeoutSeconds ?? 600) * 1000, timeoutMs),
        ...(releaseSeconds === undefined ? {} : { releaseAfterMs: releaseSeconds * 1000 }),
        ...(maxUploadMiB === undefined ? {} : { maxUploadBytes: maxUploadMiB * MiB }),
        onError: (error) => process.stderr.write(`brumate serve: ${error.message}\n`),
      })
      process.stderr.write(`brumate serve: listening on ${server.url}\n`)
      await stopped
      process.stderr.write('brumate serve: stopping …\n')
      // Running executions end or are interrupted, and new requests get 503. Then the acknowledged state is stored.
      await server.close()
      const { notStored } = await manager.drain({ timeoutMs: drainMs })
      for (const { id, error } of notStored) process.stderr.write(`brumate serve: ${id}: ${error.message}\n`)
      return { text: 'stopped', json: null, exitCode: notStored.length === 0 ? 0 : 1 }
    } finally {
      stopListening()
    }
  },
}

function listenOptions(
  values: CommandInput['values'],
): Pick<ServeOptions, 'port' | 'host' | 'allowedHosts' | 'cors' | 'metricsKey'> {
  const host = textOf(values, 'host')
  const allowedHosts = textsOf(values, 'allow-host')
  const metricsKey = process.env.BRUMATE_METRICS_KEY
  return {
    ...{ port: integerOf(values, 'port', 0, 65_535) ?? DEFAULT_PORT, cors: textsOf(values, 'cors') },
    ...(host === undefined ? {} : { host }),
    ...(allowedHosts.length === 0 ? {} : { allowedHosts }),
    ...(metricsKey === undefined || metricsKey === '' ? {} : { metricsKey }),
  }
}

/** @throws UsageError */
export function parseKeys(content: string): { readonly keys: Keyring; readonly quotas?: Quotas } {
  if (!/^\s*[[{]/.test(content)) return { keys: keyLines('keys', content, 'KEY') }
  const given = parseJson('keys', content)
  if (Array.isArray(given)) return { keys: given as ApiKey[] }
  const { keys, quotas, ...others } = given as { keys?: unknown; quotas?: Quotas }
  const [other] = Object.keys(others)
  if (!Array.isArray(keys) || other !== undefined)
    throw new UsageError(
      '--keys: expected { "keys": [{ "tenant": …, "key": … or "sha256": …, "quotas": {…} }], "quotas": {…} }',
    )
  return { keys: keys as ApiKey[], ...(quotas === undefined ? {} : { quotas }) }
}

async function toolsOf(values: CommandInput['values']): Promise<Pick<ServeOptions, 'tools'>> {
  const file = textOf(values, 'tools')
  if (file === undefined) return {}
  return { tools: parseJson('tools', await readKeys('tools', file)) as NonNullable<ServeOptions['tools']> }
}

/** The secret comes from the environment, so that the list of processes does not show it. */
function webhooksOf(values: CommandInput['values']): { readonly webhooks?: WebhookOptions } {
  const url = textOf(values, 'webhook')
  const allowTenantUrls = values['allow-webhooks'] === true
  const secret = process.env.BRUMATE_WEBHOOK_SECRET
  if (url === undefined && !allowTenantUrls && (secret === undefined || secret === '')) return {}
  if (secret === undefined || secret === '')
    throw new UsageError(
      'webhooks need a secret: set BRUMATE_WEBHOOK_SECRET to whsec_ and 32 random bytes as base64',
    )
  const allowPrivateAddresses = values['private-webhooks'] === true
  return {
    webhooks: { secret, allowTenantUrls, allowPrivateAddresses, ...(url === undefined ? {} : { url }) },
  }
}

function parseJson(option: string, content: string): unknown {
  try {
    return JSON.parse(content)
  } catch (cause) {
    throw new UsageError(`--${option}: the file is not JSON: ${messageOf(cause, 'it cannot be parsed')}`)
  }
}
