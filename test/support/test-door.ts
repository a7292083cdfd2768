// A door for host calls on the test's own thread. Owns a queue; asserts nothing.
import type { HostCallDoor } from '../../workers/host/host-calls.js'

/** A door that takes answers from a queue. Requests for which `onRequest` queues none are never answered. */
export class TestDoor implements HostCallDoor {
  readonly requests: Uint8Array[] = []
  readonly answers: Uint8Array[] = []
  readonly waits: number[] = []
  resets = 0
  /** Number of requests that may be sent before an answer is taken. */
  room = Number.POSITIVE_INFINITY
  onRequest: (request: Uint8Array) => void = () => {}
  /** Result of a wait when no answer is queued. */
  onWait: (isInterrupted: () => boolean) => 'ready' | 'interrupted' | 'timeout' = () => {
    throw new Error('waits for ever')
  }

  send(request: Uint8Array<ArrayBuffer>): 'sent' | 'full' | 'too-large' {
    if (request.length > 50_000_000) return 'too-large'
    if (this.room <= 0) return 'full'
    this.room -= 1
    this.requests.push(request)
    this.onRequest(request)
    return 'sent'
  }

  get nextBytes(): number {
    return this.answers[0]?.length ?? 0
  }

  take(): Uint8Array | undefined {
    this.room += 1
    return this.answers.shift()
  }

  wait(milliseconds: number, isInterrupted: () => boolean): 'ready' | 'interrupted' | 'timeout' {
    this.waits.push(milliseconds)
    return this.answers.length > 0 ? 'ready' : this.onWait(isInterrupted)
  }

  reset(): void {
    this.resets += 1
  }
}
