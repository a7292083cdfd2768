// Secrets that clients send as bearer tokens. Owns their format. Only the hash of a secret is kept in memory, and hashes are compared in
// constant time.
import { createHash, timingSafeEqual } from 'node:crypto'

export const MIN_SECRET_LENGTH = 16

export function isSecret(value: unknown): value is string {
  return typeof value === 'string' && value.length >= MIN_SECRET_LENGTH && /^[\x21-\x7e]+$/.test(value)
}

export function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}

/** Finds the owner of a secret. Compares all hashes, so that the time reveals nothing. */
export function ownerOf(
  secret: string,
  hashes: readonly (readonly [owner: string, hash: Buffer])[],
): string | undefined {
  const given = hashOf(secret)
  const found = hashes.filter(([, hash]) => timingSafeEqual(hash, given))
  return found[0]?.[0]
}

/** The token of the Authorization header; empty if it has no bearer token. */
export function bearerOf(header: string | null): string {
  return /^Bearer +(\S+) *$/i.exec(header ?? '')?.[1] ?? ''
}
