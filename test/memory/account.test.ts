import { describe, expect, test } from 'vitest'
import { MemoryAccount } from '../../src/memory/account.js'

describe('a memory account', () => {
  test('grants requests up to its bound, and nothing of a request beyond it', () => {
    const account = new MemoryAccount(100)
    expect(account.tryTake(60)).toBe(true)
    expect(account.tryTake(41)).toBe(false)
    expect(account.usedBytes).toBe(60)
    expect(account.tryTake(40)).toBe(true)
    expect(account.freeBytes).toBe(0)
  })

  test('counts towards its parent account, whose bound also applies', () => {
    const whole = new MemoryAccount(100)
    const first = new MemoryAccount(null, whole)
    const second = new MemoryAccount(50, whole)
    expect(first.tryTake(80)).toBe(true)
    expect(second.freeBytes).toBe(20)
    expect(second.tryTake(21)).toBe(false)
    first.release(80)
    expect(second.freeBytes).toBe(50)
    expect(whole.usedBytes).toBe(0)
  })

  test('has zero free bytes, never a negative number, after more was taken than it has', () => {
    const account = new MemoryAccount(10)
    account.take(25)
    expect(account.freeBytes).toBe(0)
    expect(account.tryTake(0)).toBe(true)
    account.release(25)
    expect(account.freeBytes).toBe(10)
  })
})
