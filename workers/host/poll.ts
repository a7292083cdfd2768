// poll(2), which is also how the interpreter sleeps: it polls nothing, with a timeout. Owns what a descriptor is ready for;
// signals.ts does the waiting.
import { DOOR_FD, PIPE_BYTES, POLL, POLLFD } from './abi.js'
import type { HostContext } from './context.js'
import { fail } from './errno.js'
import type { ImportFunction } from './guard.js'
import type { HostCallDoor } from './host-calls.js'

/** Most descriptors in one poll. */
const MAX_POLLED = 4096

export function pollImports(context: HostContext): Readonly<Record<string, ImportFunction>> {
  const { memory, signals } = context
  return {
    __syscall_poll: (pointer: number, count: number, timeoutMs: number) => {
      if (count >>> 0 > MAX_POLLED) fail('EINVAL')
      const first = count === 0 ? 0 : memory.range(pointer, count * POLLFD.BYTES)
      let ready = 0
      let atDoor = false
      for (let at = first; at < first + count * POLLFD.BYTES; at += POLLFD.BYTES) {
        const events = memory.i16(at + POLLFD.events)
        if (memory.i32(at + POLLFD.fd) === DOOR_FD) atDoor = (events & POLL.IN) !== 0
        const state =
          readiness(context, memory.i32(at + POLLFD.fd)) & (events | POLL.ERR | POLL.HUP | POLL.NVAL)
        memory.setU16(at + POLLFD.revents, state)
        if (state !== 0) ready += 1
      }
      if (ready > 0 || timeoutMs === 0) return ready
      const waitMs = timeoutMs < 0 ? Number.POSITIVE_INFINITY : timeoutMs
      if (atDoor && context.door !== undefined) return pollDoor(context, context.door, first, count, waitMs)
      // Nothing can become ready while the only thread waits, so only the timeout or an interrupt ends the wait.
      if (signals.wait(waitMs) === 'interrupted') fail('EINTR')
      return 0
    },
  }
}

/** Waits for an answer to a host call, which is the only thing that can become ready. */
function pollDoor(
  { memory, signals }: HostContext,
  door: HostCallDoor,
  first: number,
  count: number,
  waitMs: number,
): number {
  const outcome = signals.waitAt(door, waitMs)
  if (outcome === 'interrupted') fail('EINTR')
  if (outcome === 'timeout') return 0
  let ready = 0
  for (let at = first; at < first + count * POLLFD.BYTES; at += POLLFD.BYTES) {
    if (memory.i32(at + POLLFD.fd) !== DOOR_FD) continue
    memory.setU16(at + POLLFD.revents, POLL.IN)
    ready += 1
  }
  return ready
}

/** The operations that would not fail with EAGAIN on a descriptor. */
function readiness({ fileSystem, door }: HostContext, fd: number): number {
  if (fd < 0) return 0
  if (fd === DOOR_FD && door !== undefined) return door.nextBytes > 0 ? POLL.IN : 0
  const file = fileSystem.descriptors.find(fd)
  if (file === undefined) return POLL.NVAL
  if (file.kind !== 'pipe') return POLL.IN | POLL.OUT
  const { start, end, readers, writers } = fileSystem.nodes.pipe(file.node)
  const reads = (file.flags & 1) === 0
  if (reads) return (end > start ? POLL.IN : 0) | (writers === 0 ? POLL.HUP : 0)
  return (end - start < PIPE_BYTES ? POLL.OUT : 0) | (readers === 0 ? POLL.ERR : 0)
}
