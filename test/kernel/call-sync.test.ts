// D3: host calls from code that keeps its thread: brumate.call_sync, and loops created by user code. Runs on the image, with a door
// that the test answers; test/host/host-calls.test.ts tests the door across threads.
import { beforeAll, beforeEach, describe, expect, inject, test } from 'vitest'
import type { Image } from '../../src/shared/image/image.js'
import { decode } from '../../src/shared/values/document.js'
import { openImage } from '../image/built.js'
import { answerBytes, type Call, ImageSession, readCall } from './image-session.js'

let image: Image
let session: ImageSession
let calls: Call[]
beforeAll(async () => {
  image = await openImage({ cacheDir: inject('cacheDir') })
})
beforeEach(() => {
  session = new ImageSession(image)
  const parameters = { properties: { a: {}, b: {} } }
  session.callbacks(['ask', 'tell'].map((name) => ({ name, description: '', parameters })))
  calls = []
  session.door.onRequest = (request) => calls.push(readCall(decode(request).tree))
  session.value('import asyncio, brumate')
})

/** Answers each call at once with the result of `respond`, or with the error it throws. */
function serve(respond: (call: Call) => unknown, fixups: readonly unknown[] = []): void {
  session.door.onRequest = (request) => {
    const call = readCall(decode(request).tree)
    calls.push(call)
    try {
      session.door.answers.push(answerBytes(call.id, true, respond(call), fixups))
    } catch (error) {
      const { name, message } = error as Error
      session.door.answers.push(answerBytes(call.id, false, [name, message]))
    }
  }
}

describe('call_sync', () => {
  test('D3: returns the callback’s result, with arguments by name or by position', () => {
    serve(({ args }) => ({ got: args }))
    expect(session.value('brumate.call_sync("ask", 1, b=[b"x", None])')).toEqual({
      got: { a: 1, b: [Uint8Array.of(120), null] },
    })
    expect(
      session.value('def f(): return brumate.call_sync("tell")["got"]\n[f() for _ in range(3)]'),
    ).toEqual([{}, {}, {}])
    expect(calls.map(({ name }) => name)).toEqual(['ask', 'tell', 'tell', 'tell'])
    expect(new Set(calls.map(({ id }) => id)).size).toBe(4)
  })

  test('D3, D5: raises the callback’s error, with the line of the call', () => {
    serve(() => {
      throw new TypeError('no such thing')
    })
    expect(() => session.value('x = 1\nbrumate.call_sync("ask")')).toThrow(
      /^Traceback[^\n]*\n {2}File "<cell \d+>", line 2, in <module>\n[^\n]*\n[^\n]*\nTypeError: no such thing\n$/,
    )
    serve(() => {
      throw Object.assign(new Error('later'), { name: 'QuotaError' })
    })
    expect(
      session.value(
        'try:\n    brumate.call_sync("ask")\nexcept brumate.HostError as e: r = [e.name, e.message]\nr',
      ),
    ).toEqual(['QuotaError', 'later'])
  })

  test.each([
    ['brumate.call_sync("nobody")', "NameError: this session has no callback named 'nobody'"],
    ['brumate.call_sync("iterator.next", iterator=1)', 'NameError: this session has no callback named'],
    ['brumate.call_sync("__class__")', 'NameError'],
    ['brumate.call_sync(["ask"])', "TypeError: call_sync() takes the name of a callback, not 'list'"],
    ['brumate.call_sync()', 'TypeError'],
    ['brumate.call_sync("ask", object())', "TypeError: ask() argument 'a': cannot convert 'object'"],
    ['brumate.call_sync("ask", 1, 2, 3)', 'TypeError: ask() takes at most 2 positional arguments'],
    ['brumate.call_sync("ask", 1, a=1)', "TypeError: ask() got multiple values for argument 'a'"],
    [
      'brumate.call_sync("ask", bytes(60_000_000))',
      'ValueError: the arguments are too large: those of one session may take 64 MiB',
    ],
  ])('D3: %s raises before anything is sent', (code, error) => {
    expect(() => session.value(code)).toThrow(error)
    expect(calls).toEqual([])
  })

  test('D3: carries ten megabytes both ways without many copies', () => {
    serve(({ args }) => args.a)
    const before = session.memory.length
    expect(session.value('data = bytes(range(250)) * 40_000\nbrumate.call_sync("ask", data) == data')).toBe(
      true,
    )
    // The value, its copy when sent, the answer, and the value in the answer, with a margin for how memory grows.
    expect(session.memory.length - before).toBeLessThan(8 * 10_000_000)
  })

  test('D3: works inside a coroutine, while its other tasks wait', () => {
    serve(({ args }) => args.a)
    expect(
      session.value(`
log = []
async def other():
    log.append('other')
async def main():
    task = asyncio.create_task(other())
    log.append(brumate.call_sync('ask', 'sync'))
    await task
await main()
log`),
    ).toEqual(['sync', 'other'])
  })

  test('D3: waits once without a timeout; malformed or unrelated answers do not end the wait', () => {
    session.door.onWait = () => {
      const id = calls[0]?.id ?? 0
      session.door.answers.push(
        answerBytes(id + 100, true, 'forged'),
        Buffer.from('x'),
        answerBytes(id, true, 'right'),
      )
      return 'ready'
    }
    expect(session.value('brumate.call_sync("ask")')).toBe('right')
    expect(session.door.waits).toEqual([Number.POSITIVE_INFINITY])
  })

  test('B1: an interrupt ends the wait with KeyboardInterrupt, and a later answer is ignored', () => {
    session.door.onWait = (isInterrupted) => {
      session.interruptNow()
      expect(isInterrupted()).toBe(true)
      return 'interrupted'
    }
    expect(
      session.value(
        'try:\n    brumate.call_sync("ask")\nexcept KeyboardInterrupt:\n    r = "interrupted"\nr',
      ),
    ).toBe('interrupted')
    session.door.answers.push(answerBytes(calls[0]?.id ?? 0, true, 'late'))
    serve(() => 'next')
    expect(session.value('brumate.call_sync("ask")')).toBe('next')
  })

  test('B1: an uncaught interrupt ends the execution', () => {
    session.door.onWait = () => {
      session.interruptNow()
      return 'interrupted'
    }
    expect(() => session.value('brumate.call_sync("ask")')).toThrow(/KeyboardInterrupt\n$/)
    serve(() => 1)
    expect(session.value('brumate.call_sync("ask")')).toBe(1)
  })

  test('D3: waits for room if too many calls are running', () => {
    session.door.room = 0
    session.door.onWait = () => {
      session.door.answers.push(Buffer.from('taken'))
      return 'ready'
    }
    serve(() => 'sent at last')
    expect(session.value('brumate.call_sync("ask")')).toBe('sent at last')
  })

  test('D9: an async iterable can be iterated without await', () => {
    serve(({ name, args }) => {
      if (name === 'ask') return null
      expect(args).toEqual({ iterator: 5 })
      return calls.length < 4 ? [false, calls.length] : [true, null]
    })
    const iterator = session.door.onRequest
    session.door.onRequest = (request) => {
      if (readCall(decode(request).tree).name !== 'ask') return iterator(request)
      const call = readCall(decode(request).tree)
      calls.push(call)
      session.door.answers.push(answerBytes(call.id, true, null, [[[], 'iterator', 5]]))
    }
    expect(session.value('list(brumate.call_sync("ask"))')).toEqual([2, 3])
  })
})

describe('loops created by user code', () => {
  test('D2: asyncio.run waits for concurrent host calls', () => {
    serve(({ args }) => args.a)
    expect(
      session.value(
        'async def go(): return await asyncio.gather(*(ask(n) for n in range(100)))\nasyncio.run(go())',
      ),
    ).toEqual([...Array(100).keys()])
  })

  test('D2: answers arrive in the order the host gives them, beside timers', () => {
    session.door.onWait = () => {
      const next = calls.pop()
      if (next === undefined) return 'timeout'
      session.door.answers.push(answerBytes(next.id, true, next.args.a))
      return 'ready'
    }
    expect(
      session.value(`
order = []
async def one(n):
    order.append(await ask(n))
async def go():
    await asyncio.gather(one(1), one(2), one(3), asyncio.sleep(0.3))
asyncio.run(go())
order`),
    ).toEqual([3, 2, 1])
    expect(session.door.waits.every((ms) => ms <= 301)).toBe(true)
  })

  test('D2: calls that exceed the room are sent as answers arrive', () => {
    session.door.room = 10
    serve(({ args }) => args.a)
    expect(
      session.value(
        'async def go(): return sum(await asyncio.gather(*(ask(n) for n in range(500))))\nasyncio.run(go())',
      ),
    ).toBe(124_750)
  })

  test('D5: an argument that is too large fails only its own call', () => {
    serve(() => 'small')
    expect(
      session.value(`
async def go():
    results = await asyncio.gather(ask(bytes(60_000_000)), ask(1), return_exceptions=True)
    return [repr(results[0]), results[1]]
asyncio.run(go())`),
    ).toEqual(["ValueError('the arguments are too large: those of one session may take 64 MiB')", 'small'])
  })

  test('B5: a wait with a timeout ends, and the call is forgotten', () => {
    session.door.onWait = () => 'timeout'
    expect(
      session.value(`
async def go():
    try:
        async with asyncio.timeout(0.005):
            await ask(1)
    except TimeoutError:
        return 'too late'
asyncio.run(go())`),
    ).toBe('too late')
    session.door.answers.push(answerBytes(calls[0]?.id ?? 0, true, 'late'))
    expect(() => session.value('asyncio.run(asyncio.Event().wait())')).toThrow(
      'deadlock: the code awaits something that no task, timer or host call can complete',
    )
  })

  test('B1: an interrupt cancels the main task of asyncio.run', () => {
    session.door.onWait = () => {
      session.interruptNow()
      return 'interrupted'
    }
    expect(
      session.value(`
log = []
async def go():
    try:
        await ask(1)
    finally:
        log.append('cleaned up')
try:
    asyncio.run(go())
except KeyboardInterrupt:
    log.append('interrupted')
log`),
    ).toEqual(['cleaned up', 'interrupted'])
  })

  test('C8: a call left pending by a loop continues when the loop runs again', () => {
    session.value(
      'loop = asyncio.new_event_loop()\nasync def go(): return await ask("kept")\ntask = loop.create_task(go())',
    )
    session.value('loop.run_until_complete(asyncio.sleep(0))\nloop.run_until_complete(asyncio.sleep(0))')
    expect(calls).toHaveLength(1)
    session.door.answers.push(answerBytes(calls[0]?.id ?? 0, true, 'found'))
    expect(session.value('loop.run_until_complete(task)')).toBe('found')
  })

  test('D2: calls of the session’s own loop are not sent through the door', () => {
    serve(() => 1)
    const reply = session.start('brumate.call_sync("tell")\nawait ask("outbox")')
    expect(reply.kind).toBe('waiting')
    expect(calls.map(({ name }) => name)).toEqual(['tell'])
  })
})

describe('hostile code', () => {
  const DOOR = '0x3fff_ffff'

  test('N1: garbage written to the door by user code reaches only the main thread', () => {
    const sent: Buffer[] = []
    session.door.onRequest = (request) => sent.push(Buffer.from(request))
    session.value(`import os\nos.write(${DOOR}, b'garbage')\nos.write(${DOOR}, b'')`)
    expect(sent.map(String)).toEqual(['garbage', ''])
  })

  test.each([
    [`os.read(${DOOR}, 100)`, 'BlockingIOError'],
    [`os.close(${DOOR})`, 'Bad file descriptor'],
    [`os.dup(${DOOR})`, 'Bad file descriptor'],
    [`os.dup2(${DOOR}, 5)`, 'Bad file descriptor'],
    [`os.dup2(1, ${DOOR})`, 'Bad file descriptor'],
    [`os.fstat(${DOOR})`, 'Bad file descriptor'],
    [`open(${DOOR})`, 'Bad file descriptor'],
    [`os.pread(${DOOR}, 1, 0)`, 'Bad file descriptor'],
    [`os.lseek(${DOOR}, 1, 2)`, 'Invalid seek'],
    [`os.lseek(${DOOR}, 0, 0)`, 'Invalid seek'],
    [`os.writev(${DOOR}, [b'a', b'b'])`, 'Invalid argument'],
    [`os.ftruncate(${DOOR}, 0)`, 'Bad file descriptor'],
  ])('N1: %s is an error', (code, error) => {
    expect(() => session.value(`import os\n${code}`)).toThrow(error)
  })

  test('N1: reading less or more than an answer loses none of it', () => {
    session.door.answers.push(answerBytes(1, true, 'x'))
    session.value(`
import os
for size in (0, 1, 100_000):
    try:
        os.read(${DOOR}, size)
    except OSError:
        pass`)
    expect(session.door.answers).toHaveLength(1)
    expect(session.value(`len(os.read(${DOOR}, os.lseek(${DOOR}, 0, 2)))`)).toBe(
      answerBytes(1, true, 'x').length,
    )
  })

  test('N1: code that steals answers leaves their callers waiting, and an interrupt ends the wait', () => {
    serve(() => 'stolen')
    session.door.onWait = () => {
      session.interruptNow()
      return 'interrupted'
    }
    expect(() =>
      session.value(`
import os
import _brumate.door as door
door.take = lambda: os.read(${DOOR}, os.lseek(${DOOR}, 0, 2)) and None
brumate.call_sync("ask")`),
    ).toThrow('KeyboardInterrupt')
  })

  test('A9: reverting to the image resets the door', () => {
    expect(session.interpreter.revert()).toBe(true)
    expect(session.door.resets).toBe(1)
  })
})
