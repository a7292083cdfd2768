// Names in a DirectoryStore: a folder for each session, and the files in it. Owns making names and parsing them.
import { createHash, randomBytes } from 'node:crypto'

/** Longer names become a hash: file systems allow 255 bytes, some fewer. */
const LONGEST_NAME = 120

/**
 * The name of a session's folder. Lower-case letters, digits, `_` and `-` stand for themselves; other bytes become `%` and two digits, so
 * that names stay distinct on file systems that ignore case or normalize Unicode. `h-` begins a hash; then only the record has the id.
 */
export function folderName(id: string): string {
  let name = 's-'
  for (const byte of Buffer.from(id)) {
    const character = String.fromCharCode(byte)
    name += /[a-z0-9_-]/.test(character) ? character : `%${byte.toString(16).padStart(2, '0')}`
  }
  return name.length <= LONGEST_NAME ? name : `h-${sha256(id)}`
}

/** @returns the session's id, `null` if the name is a hash, `undefined` if the store did not make this name */
export function idOfFolder(name: string): string | null | undefined {
  if (/^h-[0-9a-f]{64}$/.test(name)) return null
  if (!/^s-(?:[a-z0-9_-]|%[0-9a-f]{2})+$/.test(name)) return undefined
  if (!name.includes('%')) return name.slice(2)
  try {
    const id = decodeURIComponent(name.slice(2))
    return folderName(id) === name ? id : undefined
  } catch {
    return undefined
  }
}

/** One of 256 parent folders, so that each holds only a fraction of the sessions. */
export function fanName(folder: string): string {
  return sha256(folder).slice(0, 2)
}

export function isFanName(name: string): boolean {
  return /^[0-9a-f]{2}$/.test(name)
}

/** A nonce that is unique to one write. */
export function newNonce(): string {
  return randomBytes(8).toString('hex')
}

export const recordName = (generation: number) => `${generation}.record`
/** A file that becomes the record of `generation`, unless another draft does. */
export const draftName = (generation: number, nonce: string) => `${generation}.${nonce}.draft`
/** The snapshot that the write of `generation` stored. */
export const snapshotName = (generation: number, nonce: string) => `${generation}.${nonce}.snapshot`
/** The delta that the write of `generation` stored: the difference to the previous snapshot. */
export const deltaName = (generation: number, nonce: string) => `${generation}.${nonce}.delta`

export interface FolderFile {
  readonly name: string
  readonly kind: 'record' | 'draft' | 'snapshot' | 'delta'
  readonly generation: number
}

/** @returns undefined for a file that the store did not make */
export function parseFile(name: string): FolderFile | undefined {
  const found = /^([1-9]\d{0,15})\.(?:(record)|[0-9a-f]{16}\.(draft|snapshot|delta))$/.exec(name)
  if (!found) return undefined
  const kind = (found[2] ?? found[3]) as FolderFile['kind']
  return { name, kind, generation: Number(found[1]) }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
