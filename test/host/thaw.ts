// Freezing and thawing the host of a guest for tests: an image with a few files, and what happens to a state on its way through a
// document. Owns no assertions.
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
  /** Anything, so that tests can do harm to it. */
  readonly state: HostState
  readonly contents: Uint8Array
}

/** A capture after its way through bytes: UTF-8 text and one run of contents. */
export function freeze(guest: Guest): Frozen {
  const { state, contents } = guest.host.capture()
  const document = Buffer.from(JSON.stringify(state), 'utf8')
  return { state: JSON.parse(document.toString('utf8')) as HostState, contents: Buffer.concat(contents) }
}

/** Into `into`, else into a new guest of the same image. */
export function thaw({ state, contents }: Frozen, options: GuestOptions = {}, into?: Guest): Guest {
  const guest = into ?? newGuest(options)
  guest.host.install(guest.host.prepare(state, contents, { ...UNBOUNDED, ...options.limits }))
  return guest
}

/** What a guest is on another host. The state it has there is the same. */
export function moved(guest: Guest, options: GuestOptions = {}): Guest {
  return thaw(freeze(guest), options)
}

/** Without the clock, which goes on. */
export function still({ state, contents }: Frozen): unknown {
  return { ...state, clockMs: 0, contents: Buffer.from(contents).toString('latin1') }
}
