// Why a captured state is refused. Owns the error only. When it is thrown, the host has not changed (N2).

export type HostStateFault =
  /** No capture of this image could have produced it. */
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
