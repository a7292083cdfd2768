// The part of a session's configuration that the core does not store: limits, tools, input. Owns storing it in the session's labels, so
// that every process on the store opens the session the same way, and one write creates both.
import { Buffer } from 'node:buffer'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import type { Limits } from '../options/limits.js'
import type { WireTool } from '../presentation/wire.js'
import { RequestProblem } from './problems.js'
import { MAX_LABELS } from './schemas.js'

export interface SessionConfig {
  readonly limits?: Partial<Limits> | undefined
  readonly tools?: readonly WireTool[] | undefined
  readonly input?: boolean | undefined
}

type Labels = Readonly<Record<string, string>>

/** Labels of clients must not begin with it. */
export const OWN_PREFIX = 'brumate.'
/** Limits of the core. */
const CORE_LABELS = 32
const LABEL_LENGTH = 256
const MAX_TEXT_LENGTH = 2 ** 20

/** @throws RequestProblem when the config is too large */
export function labelsOf(labels: Labels, config: SessionConfig): Labels {
  const own = Object.keys(labels).find((name) => name.startsWith(OWN_PREFIX))
  if (own !== undefined)
    throw new RequestProblem(422, 'VALIDATION', `labels: names must not begin with ${OWN_PREFIX}`)
  const text = jsonOf(config)
  if (text === '{}') return labels
  const packed = deflateRawSync(Buffer.from(text)).toString('base64url')
  const parts = Math.ceil(packed.length / LABEL_LENGTH)
  if (parts > CORE_LABELS - MAX_LABELS || text.length > MAX_TEXT_LENGTH)
    throw new RequestProblem(
      413,
      'TOO_LARGE',
      'the tools of the session are too large together; shorten their schemas, or have the operator declare them for all sessions',
    )
  const chunks = Array.from({ length: parts }, (_, i) => [
    `${OWN_PREFIX}${i}`,
    packed.slice(i * LABEL_LENGTH, (i + 1) * LABEL_LENGTH),
  ])
  return { ...labels, ...Object.fromEntries(chunks) }
}

/** Unlike JSON.parse, JSON.stringify fails on deeply nested values. @throws RequestProblem */
function jsonOf(config: SessionConfig): string {
  try {
    return JSON.stringify(config)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new RequestProblem(422, 'VALIDATION', 'tools: a schema is nested too deeply')
  }
}

/** Separates the client's labels from the config. */
export function readLabels(stored: Labels): { readonly labels: Labels; readonly config: SessionConfig } {
  const isOwn = (name: string) => name.startsWith(OWN_PREFIX)
  const labels = Object.fromEntries(Object.entries(stored).filter(([name]) => !isOwn(name)))
  let packed = ''
  for (let i = 0; i < CORE_LABELS; i++) packed += stored[`${OWN_PREFIX}${i}`] ?? ''
  if (packed === '') return { labels, config: {} }
  const text = inflateRawSync(Buffer.from(packed, 'base64url'), { maxOutputLength: 4 * MAX_TEXT_LENGTH })
  return { labels, config: JSON.parse(text.toString()) }
}
