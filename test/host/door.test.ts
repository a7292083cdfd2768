// R1: the door for host calls as C code sees it, with hostile numbers: a call moves one whole message, or fails and moves nothing.
import { beforeEach, describe, expect, it } from 'vitest'
import { DOOR_FD, POLL, POLLFD, SEEK } from '../../workers/host/abi.js'
import { errno } from '../../workers/host/errno.js'
import { TestDoor } from '../support/test-door.js'
import { Guest } from './guest.js'

let door: TestDoor
let guest: Guest
beforeEach(() => {
  door = new TestDoor()
  guest = new Guest({ door })
})

const END_OF_MEMORY = 2 * 1024 * 1024

/** Calls readv or writev on the door with these ranges. @returns an error number, or 0 */
function transfer(
  name: 'fd_read' | 'fd_write',
  ranges: readonly [start: number, length: number][],
  count?: number,
) {
  const list = guest.room(8 * ranges.length + 8)
  for (const [index, [start, length]] of ranges.entries()) {
    guest.view.setUint32(list + 8 * index, start, true)
    guest.view.setUint32(list + 8 * index + 4, length, true)
  }
  return guest.number(name, DOOR_FD, list, count ?? ranges.length, guest.room(4))
}

function poll(
  events: number,
  timeoutMs: number,
  more: readonly number[] = [],
): { result: number; revents: number } {
  const fds = [...more, DOOR_FD]
  const list = guest.room(POLLFD.BYTES * fds.length)
  for (const [index, fd] of fds.entries()) {
    guest.view.setInt32(list + POLLFD.BYTES * index, fd, true)
    guest.view.setInt16(list + POLLFD.BYTES * index + POLLFD.events, events, true)
  }
  const result = guest.number('__syscall_poll', list, fds.length, timeoutMs)
  const last = list + POLLFD.BYTES * more.length
  return { result, revents: guest.view.getInt16(last + POLLFD.revents, true) }
}

describe('the door', () => {
  it('passes a request as a copy, and returns an answer only to a read of exactly its size', () => {
    expect(guest.write(DOOR_FD, 'request')).toBe(7)
    guest.bytes.fill(0)
    expect(door.requests.map((bytes) => Buffer.from(bytes).toString())).toEqual(['request'])
    expect(guest.seek(DOOR_FD, 0, SEEK.END)).toBe(0)
    door.answers.push(Buffer.from('answer'))
    expect(guest.seek(DOOR_FD, 0, SEEK.END)).toBe(6)
    expect([guest.read(DOOR_FD, 5), guest.read(DOOR_FD, 7), guest.read(DOOR_FD, 6)]).toEqual([
      -errno.EINVAL,
      -errno.EINVAL,
      'answer',
    ])
    expect(guest.read(DOOR_FD, 6)).toBe(-errno.EAGAIN)
  })

  it('accepts a single valid range, and moves nothing otherwise', () => {
    door.answers.push(Buffer.from('answer'))
    for (const name of ['fd_read', 'fd_write'] as const) {
      expect(transfer(name, [[END_OF_MEMORY - 5, 6]])).toBe(errno.EFAULT)
      expect(transfer(name, [[0, 6]])).toBe(errno.EFAULT)
      expect(transfer(name, [[8192, 0xffff_ffff]])).toBe(errno.EFAULT)
      expect(transfer(name, [[0xffff_fff0, 6]])).toBe(errno.EFAULT)
      expect(
        transfer(name, [
          [8192, 3],
          [8195, 3],
        ]),
      ).toBe(errno.EINVAL)
      for (const count of [0, -1, 2 ** 31 - 1]) expect(transfer(name, [[8192, 6]], count)).toBe(errno.EINVAL)
      expect(guest.number(name, DOOR_FD, END_OF_MEMORY - 4, 1, 8192)).toBe(errno.EFAULT)
      expect(guest.number(name, DOOR_FD, 8192, 1, END_OF_MEMORY)).toBe(errno.EFAULT)
    }
    expect(door.requests).toEqual([])
    expect(door.answers).toHaveLength(1)
  })

  it('gives EAGAIN when it accepts no more requests', () => {
    door.room = 0
    expect(guest.write(DOOR_FD, 'x')).toBe(-errno.EAGAIN)
  })

  it('can only be sought to its end', () => {
    expect(guest.seek(DOOR_FD, 1, SEEK.END)).toBe(-errno.ESPIPE)
    expect(guest.seek(DOOR_FD, 0, SEEK.SET)).toBe(-errno.ESPIPE)
    expect(guest.seek(DOOR_FD, 0, 99)).toBe(-errno.ESPIPE)
    expect(guest.number('fd_seek', DOOR_FD, 0n, SEEK.END, END_OF_MEMORY - 4)).toBe(errno.EFAULT)
  })

  it('is ready when there is an answer, and poll waits until then', () => {
    expect(poll(POLL.IN, 0)).toEqual({ result: 0, revents: 0 })
    const outcomes = ['timeout', 'interrupted', 'ready'] as const
    for (const outcome of outcomes) {
      door.onWait = () => outcome
      expect(poll(POLL.IN, 50)).toEqual(
        {
          timeout: { result: 0, revents: 0 },
          interrupted: { result: -errno.EINTR, revents: 0 },
          ready: { result: 1, revents: POLL.IN },
        }[outcome],
      )
    }
    expect(poll(POLL.IN, -1, [-1, DOOR_FD]).result).toBe(2)
    expect(door.waits).toEqual([50, 50, 50, Number.POSITIVE_INFINITY])
    door.answers.push(Buffer.from('answer'))
    expect(poll(POLL.IN, -1)).toEqual({ result: 1, revents: POLL.IN })
    expect(door.waits).toHaveLength(4)
  })

  it('does not delay a poll if something else is ready or no answers are asked for', () => {
    const fd = guest.open('/dev/zero')
    expect(poll(POLL.IN, -1, [fd]).result).toBe(1)
    expect(poll(POLL.OUT, 1).result).toBe(0)
    expect(door.waits).toEqual([])
  })

  it('is not a valid descriptor for other calls', () => {
    const buffer = guest.room(256)
    for (const [name, ...args] of [
      ['fd_close'],
      ['fd_sync'],
      ['fd_fdstat_get', buffer],
      ['fd_pread', buffer, 1, 0n, buffer],
    ] as const) {
      expect(guest.number(name, DOOR_FD, ...args), name).toBe(errno.EBADF)
    }
    for (const [name, ...args] of [
      ['__syscall_fstat64', buffer],
      ['__syscall_dup'],
      ['__syscall_dup3', 5, 0],
      ['__syscall_fchdir'],
      ['__syscall_fcntl64', 1, buffer],
      ['__syscall_ftruncate64', 0n],
      ['__syscall_getdents64', buffer, 256],
    ] as const) {
      expect(guest.number(name, DOOR_FD, ...args), name).toBe(-errno.EBADF)
    }
    expect(guest.number('__syscall_dup3', 1, DOOR_FD, 0)).toBe(-errno.EBADF)
  })
})

describe('a host without a door', () => {
  it('has no such descriptor', () => {
    const without = new Guest()
    expect(without.write(DOOR_FD, 'x')).toBe(-errno.EBADF)
    expect(without.read(DOOR_FD, 1)).toBe(-errno.EBADF)
    expect(without.seek(DOOR_FD, 0, SEEK.END)).toBe(-errno.EBADF)
  })
})
