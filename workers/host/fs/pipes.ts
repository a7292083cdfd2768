// Reads and writes pipes. Owns the buffer of a pipe node, and what happens if it is empty or full. Nothing here waits: both ends are in the
// same thread, so a blocking read could never be satisfied. It fails with EAGAIN instead, whether or not the pipe is O_NONBLOCK (as
// under Emscripten).
import { PIPE_BYTES } from '../abi.js'
import { fail } from '../errno.js'
import type { PipeNode } from './inode.js'
import type { Quota } from './quota.js'

/** Returns 0 at the end of the stream: the pipe is empty and has no writers. */
export function readPipe(pipe: PipeNode, into: Uint8Array, start: number, end: number): number {
  const count = Math.min(end - start, pipe.end - pipe.start)
  if (count === 0 && end > start && pipe.writers > 0) fail('EAGAIN')
  into.set(pipe.buffer.subarray(pipe.start, pipe.start + count), start)
  pipe.start += count
  if (pipe.start === pipe.end) {
    pipe.start = 0
    pipe.end = 0
  }
  return count
}

/** Writes what fits. Fails with EAGAIN if nothing does, and with EPIPE if there are no readers. */
export function writePipe(
  pipe: PipeNode,
  quota: Quota,
  from: Uint8Array,
  start: number,
  end: number,
): number {
  if (pipe.readers === 0) fail('EPIPE')
  const used = pipe.end - pipe.start
  const count = Math.min(end - start, PIPE_BYTES - used)
  if (count === 0) {
    if (end > start) fail('EAGAIN')
    return 0
  }
  if (pipe.end + count > pipe.buffer.length) makeRoom(pipe, quota, used + count)
  pipe.buffer.set(from.subarray(start, start + count), pipe.end)
  pipe.end += count
  return count
}

/** Moves unread bytes to the front of a buffer that has room for `needed` bytes. */
function makeRoom(pipe: PipeNode, quota: Quota, needed: number): void {
  const unread = pipe.buffer.subarray(pipe.start, pipe.end)
  if (needed <= pipe.buffer.length) pipe.buffer.copyWithin(0, pipe.start, pipe.end)
  else {
    const size = Math.min(PIPE_BYTES, Math.max(needed, 2 * pipe.buffer.length))
    quota.charge(size - pipe.buffer.length)
    const buffer = new Uint8Array(size)
    buffer.set(unread)
    pipe.buffer = buffer
  }
  pipe.end -= pipe.start
  pipe.start = 0
}
