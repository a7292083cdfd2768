import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { describe, expect, it, vi } from 'vitest'
import { errno } from '../../workers/host/errno.js'
import { InterruptCell } from '../../workers/host/interrupt.js'
import { Guest } from './guest.js'

const text = (guest: Guest) => guest.output.map((part) => part.text).join('')

describe('output', () => {
  it('arrives as copies, in order, from both streams (A3)', () => {
    const guest = new Guest()
    guest.write(1, 'one')
    guest.write(2, 'two')
    guest.write(1, '')
    guest.write(1, 'three')
    guest.bytes.fill(0)
    expect(guest.output.map(({ stream, text: part }) => `${stream}${part}`)).toEqual([
      '1one',
      '2two',
      '1three',
    ])
  })

  it('is cut off at outputBytes per stream: writes still succeed, but each interrupts the program (B6)', () => {
    const guest = new Guest({ limits: { outputBytes: 10 } })
    guest.host.beginExecution(1)
    expect(guest.write(1, '0123456')).toBe(7)
    expect(guest.host.exceeded).toBeNull()
    expect(guest.call('_Py_CheckEmscriptenSignals_Helper')).toBe(0)
    expect(guest.write(1, '789abc')).toBe(6)
    expect(guest.write(2, 'other')).toBe(5)
    expect(text(guest)).toBe('0123456789other')
    expect(guest.host.exceeded).toBe('outputBytes')
    for (let i = 0; i < 3; i += 1) {
      expect(guest.call('_Py_CheckEmscriptenSignals_Helper')).toBe(2)
      expect(guest.call('_Py_CheckEmscriptenSignals_Helper')).toBe(0)
      guest.write(1, 'more')
    }
    expect(text(guest)).toBe('0123456789other')
    expect(guest.host.usage.outputBytes).toEqual({ 1: 10, 2: 5 })
    guest.host.beginExecution(2)
    expect(guest.host.exceeded).toBeNull()
    expect(guest.call('_Py_CheckEmscriptenSignals_Helper')).toBe(0)
    guest.write(1, 'again')
    expect(text(guest)).toBe('0123456789otheragain')
  })

  it.each([1, 2, 3, 4, 5, 6, 7])('is cut off at %d bytes, but never within a character', (outputBytes) => {
    const guest = new Guest({ limits: { outputBytes } })
    guest.write(1, 'é€😀')
    expect('é€😀'.startsWith(text(guest))).toBe(true)
  })

  it('of a large write arrives whole', () => {
    const guest = new Guest()
    guest.write(1, 'x'.repeat(1_500_000))
    expect(guest.output.map(({ bytes }) => bytes)).toEqual([1_500_000])
  })
})

describe('interrupts (B1, B4)', () => {
  it('reach only the execution they name, once', () => {
    const guest = new Guest()
    const shared = new SharedArrayBuffer(4)
    const cell = new Int32Array(shared)
    guest.interrupt.share(shared)
    const check = () => guest.call('_Py_CheckEmscriptenSignals_Helper')
    guest.host.beginExecution(7)
    expect(check()).toBe(0)
    Atomics.store(cell, 0, 6)
    expect(check()).toBe(0)
    Atomics.store(cell, 0, 7)
    expect([check(), check()]).toEqual([2, 0])
    guest.host.beginExecution(8)
    expect(check()).toBe(0)
    Atomics.store(cell, 0, 8)
    guest.host.interruptDelivered(8)
    expect(check()).toBe(0)
  })

  it('end a sleep with EINTR, and stay due', async () => {
    const shared = new SharedArrayBuffer(4)
    const interrupt = new InterruptCell(shared)
    const guest = new Guest({ interrupt })
    guest.host.beginExecution(3)
    const source = `
      const { workerData } = require('node:worker_threads')
      const cell = new Int32Array(workerData)
      Atomics.wait(cell, 0, 0, 100)
      Atomics.store(cell, 0, 3)
      Atomics.notify(cell, 0)`
    const worker = new Worker(source, { eval: true, workerData: shared })
    // The worker starts on this thread's event loop.
    await new Promise((resolve) => worker.once('online', resolve))
    expect(guest.call('__syscall_poll', 0, 0, 20_000)).toBe(-errno.EINTR)
    expect(guest.call('__syscall_poll', 0, 0, -1)).toBe(-errno.EINTR)
    expect(guest.call('_Py_CheckEmscriptenSignals_Helper')).toBe(2)
    await worker.terminate()
  })

  it('are waited for without using CPU, and the sleep lasts its full time', async () => {
    const guest = new Guest()
    guest.host.beginExecution(1)
    await sleep(0)
    const [start, cpu] = [performance.now(), process.cpuUsage()]
    expect(guest.call('__syscall_poll', 0, 0, 500)).toBe(0)
    expect(performance.now() - start).toBeGreaterThan(495)
    expect(process.cpuUsage(cpu).user).toBeLessThan(250_000)
  })
})

describe('the end of the interpreter', () => {
  it.each([
    ['exit', [3], 'status 3'],
    ['proc_exit', [0], 'os._exit(0)'],
    ['_abort_js', [], 'os.abort()'],
    ['__assert_fail', [0, 0, 5, 0], 'assertion'],
    ['ffi_call_js', [1, 2, 3, 4], 'ctypes'],
    ['js2python_js', [{}], 'JavaScript'],
    ['emscripten_asm_const_int', [1, 2, 3], 'R2'],
  ])('by %s has a reason, and no import works afterwards', (name, parameters, reason) => {
    const guest = new Guest()
    expect(guest.host.ended).toBeNull()
    expect(() => guest.call(name, ...parameters)).toThrow(reason)
    expect(guest.host.ended).toMatchObject({ name: 'InterpreterEnd', importName: name })
    expect(() => guest.call('emscripten_get_now')).toThrow(reason)
    expect(() => guest.call('fd_write', 1, 0, 0, 0)).toThrow(reason)
  })

  it('follows from any unexpected error in an import', () => {
    const guest = new Guest()
    vi.spyOn(guest.interrupt, 'take').mockImplementation(() => {
      throw new TypeError('unexpected')
    })
    expect(() => guest.call('_Py_CheckEmscriptenSignals_Helper')).toThrow(/failed unexpectedly/)
    expect(guest.host.ended?.importName).toBe('_Py_CheckEmscriptenSignals_Helper')
  })

  it('follows from an invalid signal handler', () => {
    const guest = new Guest()
    expect(() => guest.call('__call_sighandler', 3, 2)).toThrow(/InterpreterEnd|unexpectedly/)
    expect(guest.host.ended).not.toBeNull()
  })
})

describe('unavailable system features', () => {
  it.each([
    ['a shell', '_emscripten_system', -errno.ENOSYS],
    ['a network', '__syscall_socket', -errno.EAFNOSUPPORT],
    ['a connection', '__syscall_connect', -errno.ENOTSOCK],
    ['a name service', 'getaddrinfo', -4],
    ['a dynamic library', '_dlopen_js', 0],
    ['a JavaScript runtime', '_Py_emscripten_runtime', 0],
    ['a socket hook', '_maybe_poll_async', null],
  ])('%s is reported as unavailable', (_, name, expected) => {
    expect(new Guest().call(name, 8, 8, 8, 8)).toBe(expected)
  })

  it('the environment is empty', () => {
    const guest = new Guest()
    const sizes = guest.room(8)
    guest.bytes.fill(0xff, sizes, sizes + 8)
    expect(guest.call('environ_sizes_get', sizes, sizes + 4)).toBe(0)
    expect(guest.view.getBigInt64(sizes, true)).toBe(0n)
  })
})
