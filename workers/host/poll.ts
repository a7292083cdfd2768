// poll(2), which is also how the interpreter sleeps: with nothing to poll, for a time. Owns what a descriptor is ready for; the
// waiting itself is signals.ts's.
import { PIPE_BYTES, POLL, POLLFD } from './abi.js'
import type { HostContext } from './context.js'
import { fail } from './errno.js'
import type { ImportFunction } from './guard.js'

/** Descriptors in one poll. */
const MAX_POLLED = 4096

export function pollImports(context: HostContext): Readonly<Record<string, ImportFunction>> {
  const { memory, signals } = context
  return {
    __syscall_poll: (pointer: number, count: number, timeoutMs: number) => {
      if (count >>> 0 > MAX_POLLED) fail('EINVAL')
      const first = count === 0 ? 0 : memory.range(pointer, count * POLLFD.BYTES)
      let ready = 0
      for (let at = first; at < first + count * POLLFD.BYTES; at += POLLFD.BYTES) {
        const events = memory.i16(at + POLLFD.events)
        const state =
          readiness(context, memory.i32(at + POLLFD.fd)) & (events | POLL.ERR | POLL.HUP | POLL.NVAL)
        memory.setU16(at + POLLFD.revents, state)
        if (state !== 0) ready += 1
      }
      if (ready > 0 || timeoutMs === 0) return ready
      // Nothing can become ready while the only thread waits: what is left is the time, or an interrupt.
      const waitMs = timeoutMs < 0 ? Number.POSITIVE_INFINITY : timeoutMs
      if (signals.wait(waitMs) === 'interrupted') fail('EINTR')
      return 0
    },
  }
}

/** What can be done with a descriptor without failing with EAGAIN. */
function readiness({ fileSystem }: HostContext, fd: number): number {
  if (fd < 0) return 0
  const file = fileSystem.descriptors.find(fd)
  if (file === undefined) return POLL.NVAL
  if (file.kind !== 'pipe') return POLL.IN | POLL.OUT
  const { start, end, readers, writers } = fileSystem.nodes.pipe(file.node)
  const reads = (file.flags & 1) === 0
  if (reads) return (end > start ? POLL.IN : 0) | (writers === 0 ? POLL.HUP : 0)
  return (end - start < PIPE_BYTES ? POLL.OUT : 0) | (readers === 0 ? POLL.ERR : 0)
}
