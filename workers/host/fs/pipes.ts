// Bytes through a pipe. Owns the buffer of a pipe node and what an empty or full one means. Nothing here waits: both ends
// are in the one thread there is, so a read that would block could never be answered, and it fails with EAGAIN instead, whether
// or not the pipe is O_NONBLOCK (as under Emscripten).
import { PIPE_BYTES } from '../abi.js'
import { fail } from '../errno.js'
import type { PipeNode } from './inode.js'
import type { Quota } from './quota.js'

/** 0 is the end of the stream: nothing is left and nobody can write. */
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

/** Takes what fits; EAGAIN when nothing does, EPIPE when nobody can read. */
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

/** Moves what is unread to the front of a buffer that holds `needed` bytes. */
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
