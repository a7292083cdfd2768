// Why a captured state is refused. Owns the error only; nothing of the host has changed when it is thrown (N2).

export type HostStateFault =
  /** Not what a capture of this image gives. */
  | 'corrupt'
  /** More files or bytes than the limits allow. */
  | 'too-large'

export class HostStateError extends Error {
  override readonly name = 'HostStateError'
  readonly reason: HostStateFault

  constructor(reason: HostStateFault, message: string) {
    super(message)
    this.reason = reason
  }
}

export function corrupt(message: string): never {
  throw new HostStateError('corrupt', message)
}
