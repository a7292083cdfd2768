// Saves and restores a guest's host for tests. Owns an image with a few files, and passing a state through a document; asserts nothing.
import type { ImageFile } from '../../src/shared/image/image.js'
import type { HostState } from '../../workers/host/host.js'
import { imageBytes } from '../support/image-bytes.js'
import { Guest, type GuestOptions, UNBOUNDED } from './guest.js'

export const DATA_BYTES = 200_000
const BYTES = imageBytes(Uint8Array.from({ length: DATA_BYTES + 300 }, (_, index) => 1 + (index % 251)))

/** /lib with a file of several chunks, small ones, and a link. */
export function imageOptions(): Pick<Required<GuestOptions>, 'files' | 'bytes'> {
  const small = { kind: 'file', mode: 0o644, length: 100 } as const
  const files: ImageFile[] = [
    { kind: 'file', path: '/lib/data', mode: 0o644, offset: 0, length: DATA_BYTES },
    { kind: 'directory', path: '/lib/dir', mode: 0o755 },
    { ...small, path: '/lib/dir/a', offset: DATA_BYTES },
    { ...small, path: '/lib/dir/b', offset: DATA_BYTES + 100 },
    { ...small, path: '/lib/dir/c', offset: DATA_BYTES + 200 },
    { kind: 'symlink', path: '/lib/link', target: 'data' },
  ]
  return { files, bytes: BYTES }
}

export function newGuest(options: GuestOptions = {}): Guest {
  return new Guest({ ...imageOptions(), ...options })
}

export interface Frozen {
  /** Tests may damage it in any way. */
  readonly state: HostState
  readonly contents: Uint8Array
}

/** Captures a guest's state and passes it through bytes: UTF-8 text, and one run of contents. */
export function freeze(guest: Guest): Frozen {
  const { state, contents } = guest.host.capture()
  const document = Buffer.from(JSON.stringify(state), 'utf8')
  return { state: JSON.parse(document.toString('utf8')) as HostState, contents: Buffer.concat(contents) }
}

/** Restores a state into `into`, or into a new guest of the same image. */
export function thaw({ state, contents }: Frozen, options: GuestOptions = {}, into?: Guest): Guest {
  const guest = into ?? newGuest(options)
  guest.host.install(guest.host.prepare(state, contents, { ...UNBOUNDED, ...options.limits }))
  return guest
}

/** Copies a guest to another host, where its state is the same. */
export function moved(guest: Guest, options: GuestOptions = {}): Guest {
  return thaw(freeze(guest), options)
}

/** Leaves out the clock, which keeps running. */
export function still({ state, contents }: Frozen): unknown {
  return { ...state, clockMs: 0, contents: Buffer.from(contents).toString('latin1') }
}
