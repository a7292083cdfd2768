// API keys: who a client is. Owns their form; of a key only its hash stays in memory, and hashes are compared in constant time.
import { Buffer } from 'node:buffer'
import { createHash, timingSafeEqual } from 'node:crypto'
import { isRecord, isText, known } from '../options/check.js'
import { Concealed } from '../shared/describe-value.js'
import { InvalidOptionError } from '../shared/errors.js'
import { type Quotas, resolveQuotas } from './quotas.js'

export interface ApiKey {
  /** Whose sessions it opens. Several keys may have one tenant, to replace one by another. */
  readonly tenant: string
  /** At least 16 visible ASCII characters; clients send it as `Authorization: Bearer …`. Or give `sha256`. */
  readonly key?: string
  /** The key's SHA-256 as 64 hexadecimal digits, so that no file has the key itself. */
  readonly sha256?: string
  /** Of the tenant. Keys of one tenant must not differ in them. Default: the server's. */
  readonly quotas?: Quotas
}

/** Keys as a list, or each tenant's one key. */
export type Keyring = readonly ApiKey[] | Readonly<Record<string, string>>

export interface ResolvedKeys {
  /** The tenant of a key. */
  tenantOf(key: string): string | undefined
  quotasOf(tenant: string): Quotas
}

const MIN_LENGTH = 16
const EXPECTED = `a key of at least ${MIN_LENGTH} visible ASCII characters`

/** @throws InvalidOptionError, which never shows a key */
export function resolveKeys(given: Keyring | undefined, defaults: Quotas): ResolvedKeys | undefined {
  if (given === undefined) return undefined
  const list: readonly ApiKey[] = Array.isArray(given)
    ? given
    : Object.entries(isRecord('keys', given)).map(([tenant, key]) => ({ tenant, key: key as string }))
  if (list.length === 0) throw new InvalidOptionError('keys', 'at least one key', list)
  const quotas = new Map<string, Quotas>()
  const hashes = list.map((one, i): readonly [tenant: string, hash: Buffer] => {
    const name = `keys.${i}`
    known(name, one, ['tenant', 'key', 'sha256', 'quotas'])
    const tenant = isText(`${name}.tenant`, one.tenant, { maxLength: 256 })
    if (tenant === undefined)
      throw new InvalidOptionError(`${name}.tenant`, 'the name of a tenant', undefined)
    const own = one.quotas === undefined ? undefined : resolveQuotas(`${name}.quotas`, one.quotas)
    const before = quotas.get(tenant)
    if (own !== undefined && before !== undefined && JSON.stringify(own) !== JSON.stringify(before)) {
      const message = `${name}.quotas: keys of the tenant ${tenant} have different quotas; give the tenant's to one of them`
      throw new InvalidOptionError(`${name}.quotas`, 'the quotas of the tenant', own, message)
    }
    if (own !== undefined) quotas.set(tenant, own)
    return [tenant, hashGiven(name, one)]
  })
  const tenants = new Map<string, string>()
  for (const [i, [tenant, hash]] of hashes.entries()) {
    const other = tenants.get(hash.toString('hex')) ?? tenant
    tenants.set(hash.toString('hex'), tenant)
    if (other === tenant) continue
    const message = `keys.${i}: the tenants ${other} and ${tenant} have the same key; give each its own`
    throw new InvalidOptionError(`keys.${i}`, 'a key of one tenant', undefined, message)
  }
  return {
    tenantOf(key) {
      const hash = hashOf(key)
      // All are compared, so that the time tells nothing.
      const found = hashes.filter(([, one]) => timingSafeEqual(one, hash))
      return found[0]?.[0]
    },
    quotasOf: (tenant) => quotas.get(tenant) ?? defaults,
  }
}

/** Whether a text is the secret, in a time that does not tell. */
export function isSame(given: string, secret: string): boolean {
  return timingSafeEqual(hashOf(given), hashOf(secret))
}

export function bearerOf(header: string | undefined): string {
  return /^Bearer +(\S+) *$/i.exec(header ?? '')?.[1] ?? ''
}

function hashGiven(name: string, { key, sha256 }: ApiKey): Buffer {
  if ((key === undefined) === (sha256 === undefined))
    throw new InvalidOptionError(name, 'either key or sha256', undefined)
  if (sha256 !== undefined) {
    if (typeof sha256 === 'string' && /^[0-9a-f]{64}$/i.test(sha256)) return Buffer.from(sha256, 'hex')
    throw new InvalidOptionError(`${name}.sha256`, '64 hexadecimal digits', new Concealed(sha256))
  }
  if (typeof key !== 'string' || key.length < MIN_LENGTH || !/^[\x21-\x7e]+$/.test(key))
    throw new InvalidOptionError(`${name}.key`, EXPECTED, new Concealed(key))
  return hashOf(key)
}

function hashOf(key: string): Buffer {
  return createHash('sha256').update(key).digest()
}
