// Frees the memory of a buffer now, instead of whenever it is collected. V8 is in no hurry below some 64 MB of such memory per thread:
// without this, a session that writes and removes files would hold much more than it is allowed. Owns how that is done.
import { MessageChannel } from 'node:worker_threads'

/** Smaller buffers are left to the collector, because freeing one takes a microsecond. */
const LEAST_BYTES = 4096

interface Transferable {
  transfer(bytes: number): ArrayBuffer
}

/** Node 20 lacks `transfer`. There, the buffer is sent to a closed port: its memory is freed with the message. */
const { transfer } = ArrayBuffer.prototype as Partial<Transferable>
const nobody = transfer ? undefined : portToNobody()

/** Frees a buffer, which must not be used any more. Does nothing for shared memory. */
export function freeBuffer(buffer: ArrayBufferLike): void {
  if (!(buffer instanceof ArrayBuffer) || buffer.byteLength < LEAST_BYTES) return
  if (transfer) transfer.call(buffer, 0)
  else nobody?.postMessage(null, [buffer])
}

function portToNobody() {
  const { port1, port2 } = new MessageChannel()
  port2.close()
  return port1
}
