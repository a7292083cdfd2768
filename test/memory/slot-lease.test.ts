// What a slot takes from its manager's account, and returns. The tests play the slot's side where it is hostile, and use the real one
// otherwise.
import { once } from 'node:events'
import type { MessagePort } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { MemoryAccount } from '../../src/memory/account.js'
import { NEW_SLOT_BYTES, SlotLease } from '../../src/memory/slot-lease.js'
import { ANSWERED, GRANTED } from '../../src/shared/messages/memory.js'
import { SlotBudget } from '../../workers/memory/budget.js'

const MiB = 2 ** 20
const RESERVE = 16 * MiB

function lease(freeBytes: number, makeRoom: () => Promise<void> | undefined = () => undefined) {
  const account = new MemoryAccount(NEW_SLOT_BYTES + RESERVE + freeBytes)
  const opened = SlotLease.open({ account, reserveBytes: RESERVE, makeRoom })
  if (opened === undefined) throw new Error('there was no room')
  const violations: string[] = []
  opened.onViolation = (what) => violations.push(what)
  const words = new Int32Array(opened.wire.words)
  /** Sends messages and waits until they are received. */
  const send = async (...messages: unknown[]) => {
    for (const message of messages) opened.wire.port.postMessage(message)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return { account, lease: opened, violations, words, send }
}

const isClosed = (port: MessagePort) => once(port, 'close')

test('a slot that does not fit is not opened and takes nothing', () => {
  const account = new MemoryAccount(NEW_SLOT_BYTES + RESERVE - 1)
  expect(SlotLease.open({ account, reserveBytes: RESERVE, makeRoom: () => undefined })).toBeUndefined()
  expect(account.usedBytes).toBe(0)
})

test('a request is granted with a margin if there is room, and not at all if it does not fit', async () => {
  const { account, words, send, lease: opened } = lease(64 * MiB)
  await send(['grow', 16 * MiB])
  const granted = (words[GRANTED] ?? 0) * 65_536
  expect(granted).toBeGreaterThanOrEqual(16 * MiB)
  expect(granted).toBeLessThanOrEqual(20 * MiB)
  expect(account.usedBytes).toBe(NEW_SLOT_BYTES + granted)
  await send(['grow', 64 * MiB])
  expect([words[GRANTED], words[ANSWERED]]).toEqual([granted / 65_536, 2])
  opened.close()
  opened.close()
  expect(account.usedBytes).toBe(0)
})

test('only packing may use the reserve', async () => {
  const { words, send, lease: opened } = lease(0)
  await send(['grow', MiB])
  expect([words[GRANTED], words[ANSWERED]]).toEqual([0, 1])
  await send(['pack', MiB])
  expect(words[GRANTED]).toBeGreaterThanOrEqual(MiB / 65_536)
  opened.close()
})

test('a request waits while room is made for it', async () => {
  const other = 8 * MiB
  const { account, words, send, lease: opened } = lease(other, async () => account.release(other))
  account.take(other)
  await send(['grow', MiB])
  expect(words[GRANTED]).toBeGreaterThanOrEqual(MiB / 65_536)
  opened.close()
})

test('bytes sent to a slot are taken once there is room, and released after the slot has answered', async () => {
  const other = 8 * MiB
  let rooms = 0
  const { account, lease: opened } = lease(other, async () => {
    rooms += 1
    account.release(other)
  })
  account.take(other)
  expect(await opened.takeToSend(RESERVE + 4 * MiB)).toBe(true)
  expect([rooms, opened.bytes, account.usedBytes]).toEqual([
    1,
    ...Array(2).fill(NEW_SLOT_BYTES + RESERVE + 4 * MiB),
  ])
  opened.releaseSent(RESERVE + 4 * MiB)
  expect([opened.bytes, account.usedBytes]).toEqual([NEW_SLOT_BYTES, NEW_SLOT_BYTES])
  opened.close()
})

test('nothing is taken if there is no room, or if the slot closes meanwhile', async () => {
  const { account, lease: opened } = lease(0)
  expect(await opened.takeToSend(RESERVE + 1)).toBe(false)
  expect(account.usedBytes).toBe(NEW_SLOT_BYTES)
  const closing = lease(0, async () => closing.lease.close())
  expect(await closing.lease.takeToSend(RESERVE + 1)).toBe(false)
  expect(await opened.takeToSend(1)).toBe(true)
  opened.close()
  opened.releaseSent(1)
  expect([account.usedBytes, closing.account.usedBytes]).toEqual([0, 0])
})

test.each([
  ['returns more than it was granted', ['giveBack', 2 ** 40]],
  ['returns a fraction of a byte', ['giveBack', 0.5]],
  ['returns a negative number of bytes', ['giveBack', -MiB]],
  ['asks for NaN bytes', ['grow', Number.NaN]],
  ['asks for a size that is not whole pages', ['grow', 65_537]],
  ['asks for too much', ['pack', 2 ** 60]],
  ['sends an unknown message', ['take', MiB]],
  ['sends null', null],
])('a slot that %s changes no account and causes a violation', async (_, message) => {
  const { account, violations, send, lease: opened } = lease(64 * MiB)
  await send(message)
  expect(violations).toHaveLength(1)
  expect(account.usedBytes).toBe(NEW_SLOT_BYTES)
  opened.close()
  expect(account.usedBytes).toBe(0)
})

test('what the slot writes into the shared words changes no account', async () => {
  const { account, words, send, lease: opened } = lease(64 * MiB)
  words.fill(0x7fff_ffff)
  await send(['grow', MiB], ['giveBack', MiB])
  expect(account.usedBytes).toBeLessThanOrEqual(NEW_SLOT_BYTES + 8 * MiB)
  opened.close()
  expect(account.usedBytes).toBe(0)
})

test('everything is returned when the thread ends', async () => {
  const { account, lease: opened } = lease(MiB)
  opened.wire.port.close()
  await Promise.all([opened.threadEnded, isClosed(opened.wire.port)])
  opened.close()
  await opened.freed
  expect(account.usedBytes).toBe(0)
})

test('a slot uses its allowance without asking, and returns what it does not use', async () => {
  const { account, lease: opened } = lease(256 * MiB)
  const budget = new SlotBudget()
  budget.share(opened.wire)
  expect(budget.take(8 * MiB)).toBe(true)
  budget.release(8 * MiB)
  budget.settle()
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect([account.usedBytes, budget.heldBytes]).toEqual([NEW_SLOT_BYTES, 0])
  opened.close()
})
