// API keys, which identify clients. Owns the forms in which an operator gives them, and the quotas of their tenants.
import { Buffer } from 'node:buffer'
import { hashOf, isSecret, MIN_SECRET_LENGTH, ownerOf } from '../http/bearer.js'
import { isRecord, isText, known } from '../options/check.js'
import { Concealed } from '../shared/describe-value.js'
import { InvalidOptionError } from '../shared/errors.js'
import { type Quotas, resolveQuotas } from './quotas.js'

export interface ApiKey {
  /** The tenant whose sessions the key opens. Several keys may name the same tenant, so that one can replace another. */
  readonly tenant: string
  /** At least 16 visible ASCII characters; clients send it as `Authorization: Bearer …`. Or give `sha256`. */
  readonly key?: string
  /** The key's SHA-256 as 64 hexadecimal digits, so that the key itself is in no file. */
  readonly sha256?: string
  /** Quotas of the tenant. All keys of a tenant must give the same. Default: the server's. */
  readonly quotas?: Quotas
}

/** Keys as a list, or each tenant's one key. */
export type Keyring = readonly ApiKey[] | Readonly<Record<string, string>>

export interface ResolvedKeys {
  /** The tenant of a key. */
  tenantOf(key: string): string | undefined
  quotasOf(tenant: string): Quotas
}

const EXPECTED = `a key of at least ${MIN_SECRET_LENGTH} visible ASCII characters`

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
    tenantOf: (key) => ownerOf(key, hashes),
    quotasOf: (tenant) => quotas.get(tenant) ?? defaults,
  }
}

function hashGiven(name: string, { key, sha256 }: ApiKey): Buffer {
  if ((key === undefined) === (sha256 === undefined))
    throw new InvalidOptionError(name, 'either key or sha256', undefined)
  if (sha256 !== undefined) {
    if (typeof sha256 === 'string' && /^[0-9a-f]{64}$/i.test(sha256)) return Buffer.from(sha256, 'hex')
    throw new InvalidOptionError(`${name}.sha256`, '64 hexadecimal digits', new Concealed(sha256))
  }
  if (!isSecret(key)) throw new InvalidOptionError(`${name}.key`, EXPECTED, new Concealed(key))
  return hashOf(key)
}
