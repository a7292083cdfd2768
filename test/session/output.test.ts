// A3: output arrives exactly as it was written.
import { CancelledError, LimitError, PythonError } from 'brumate'
import { expect, test } from 'vitest'
import { Listeners } from '../../src/session/listeners.js'
import { deferred, py, pythonErrorOf, rejectionOf, until } from '../support/session-code.js'
import { describeSessions, fresh } from '../support/session-modes.js'

const NO_LISTENERS = { onStdout: undefined, onStderr: undefined, onOutput: undefined, onDisplay: undefined }

describeSessions('output', (open) => {
  test('A3: print and sys.stdout.write arrive exactly, untrimmed', async () => {
    const session = await open()
    const { stdout, stderr } = await session.execute(py`
      import sys
      print('\n  a\t')
      print('b', 'c', sep='\r\n', end='')
      sys.stdout.write('\n\n \n')
      None
    `)
    expect({ stdout, stderr }).toEqual({ stdout: '\n  a\t\nb\r\nc\n\n \n', stderr: '' })
  })

  test('A3: no output is the empty string', async () => {
    const session = await open()
    expect(await session.execute('x = 1')).toMatchObject({ stdout: '', stderr: '' })
  })

  test('A3: print, sys.stdout.write, os.write, sys.stdout.buffer and a duplicate of fd 1 keep their order', async () => {
    const session = await open()
    const { stdout } = await session.execute(py`
      import os, sys
      copy = os.dup(1)
      for round in range(2):
          print('print', end=' ')
          os.write(1, b'os.write ')
          sys.stdout.write('stdout.write ')
          sys.stdout.buffer.write(b'buffer ')
          os.write(copy, b'dup ')
          sys.stdout.writelines(['lines ', 'more\n'])
      os.close(copy)
    `)
    expect(stdout).toBe('print os.write stdout.write buffer dup lines more\n'.repeat(2))
  })

  test('A3: stderr is separate, and print, os.write, logging and warnings reach it in order', async () => {
    const session = await open()
    const { stdout, stderr } = await session.execute(py`
      import logging, os, sys, warnings
      print('one', file=sys.stderr)
      os.write(2, b'two\n')
      print('elsewhere')
      logging.warning('three')
      warnings.showwarning('four', UserWarning, 'file.py', 4, sys.stderr, 'source')
    `)
    expect(stdout).toBe('elsewhere\n')
    expect(stderr).toBe('one\ntwo\nWARNING:root:three\nfile.py:4: UserWarning: four\n  source\n')
  })

  test('A3: output written by C code arrives', async () => {
    const session = await open()
    const { stderr } = await session.execute(py`
      import faulthandler, sys
      faulthandler.dump_traceback(2)
    `)
    expect(stderr).toContain('most recent call first')
  })

  test('A3: output of a failed execution arrives with the error', async () => {
    const session = await open()
    const error = await pythonErrorOf(
      session.execute(py`
        import sys
        print('out, no newline', end='')
        sys.stderr.write('err')
        1 / 0
      `),
    )
    expect({ stdout: error.stdout, stderr: error.stderr }).toEqual({
      stdout: 'out, no newline',
      stderr: 'err',
    })
  })

  test('A3: output belongs only to the execution that wrote it', async () => {
    const session = await open()
    const [one, two, three] = await Promise.all([
      session.execute('print("one")'),
      session.execute('pass'),
      session.execute('print("three", end="")'),
    ])
    expect([one.stdout, two.stdout, three.stdout]).toEqual(['one\n', '', 'three'])
  })

  test('A3: output between awaits arrives in order', async () => {
    const session = await open()
    const { stdout } = await session.execute(py`
      import asyncio, os
      async def say(name, seconds):
          await asyncio.sleep(seconds)
          os.write(1, name.encode())
      print('start ', end='')
      await asyncio.gather(say('late ', 0.03), say('early ', 0.01))
      print('end', end='')
    `)
    expect(stdout).toBe('start early late end')
  })

  test.each([
    ['sleeps', 'time.sleep(60)'],
    ['awaits', 'import asyncio; await asyncio.sleep(60)'],
    ['waits in asyncio.run', 'import asyncio; asyncio.run(asyncio.sleep(60))'],
    ['computes', 'while True: pass'],
  ])('A3: onStdout and onStderr receive output while the code %s', async (_, code) => {
    const session = await open()
    let heard = ''
    const hear = (chunk: string) => {
      heard += chunk
    }
    const running = rejectionOf(
      PythonError,
      session.execute(`import sys, time\nprint("out"); print("err", file=sys.stderr)\n${code}`, {
        onStdout: hear,
        onStderr: hear,
        timeoutMs: 50_000,
      }),
    )
    // The code does not end by itself, so the listeners must have been called while it ran.
    await until(() => heard.length === 'out\nerr\n'.length)
    await session.interrupt()
    const { type, stdout, stderr } = await running
    expect([type, stdout]).toEqual(['KeyboardInterrupt', 'out\n'])
    expect(stderr).toMatch(/^err\n/)
  })

  test('A3: a listener that throws fails its execution with that error, and the session continues', async () => {
    const session = await open()
    const boom = new Error('from the listener')
    const execution = session.execute('print(1); kept = 1', {
      onStdout: () => {
        throw boom
      },
    })
    await expect(execution).rejects.toBe(boom)
    expect(await session.get('kept')).toBe(1)
  })

  test('A3: execute waits for the promises of async listeners, and rejects like the first that rejects', async () => {
    const session = await open()
    const boom = new Error('later')
    const onStdout = () => new Promise((_, reject) => setImmediate(() => reject(boom)))
    await expect(session.execute('print(1); kept = 1', { onStdout })).rejects.toBe(boom)
    await expect(session.execute('print(2)', { onOutput: onStdout })).rejects.toBe(boom)
    expect(await session.get('kept')).toBe(1)
  })

  test('A3: onOutput receives both streams in the order written, in chunks that end at line ends', async () => {
    const heard: { readonly stream: string; readonly text: string }[] = []
    const session = await open({ onOutput: (chunk) => void heard.push(chunk) })
    const sameText: string[] = []
    const { stdout, stderr } = await session.execute(
      py`
        import sys
        for n in range(200):
            print('out', n)
            print('err', n, file=sys.stderr)
      `,
      { onOutput: ({ text }) => void sameText.push(text) },
    )
    expect(heard.map(({ text }) => text).join('')).toBe(
      Array.from({ length: 200 }, (_, n) => `out ${n}\nerr ${n}\n`).join(''),
    )
    for (const { stream, text } of heard)
      expect(text).toMatch(stream === 'stdout' ? /^(out \d+\n)+$/ : /^(err \d+\n)+$/)
    expect(sameText).toEqual(heard.map(({ text }) => text))
    expect([stdout.length + stderr.length]).toEqual([heard.reduce((sum, { text }) => sum + text.length, 0)])
  })

  test('A3: an unfinished line is delivered when the execution waits, and while it computes', async () => {
    const session = await open({ callbacks: { heardSoFar: () => heard } })
    let heard = ''
    const onOutput = ({ text }: { readonly text: string }) => {
      heard += text
    }
    const { value } = await session.execute('print("name: ", end="")\nawait heardSoFar()', { onOutput })
    expect(value).toBe('name: ')
    const running = rejectionOf(
      PythonError,
      session.execute('print("working", end="")\nwhile True: pass', { onOutput }),
    )
    await until(() => heard.endsWith('working'))
    await session.interrupt()
    await running
  })

  test('A3: a character split over several writes arrives whole', async () => {
    const session = await open()
    let heard = ''
    const { stdout } = await session.execute(
      py`
        import os, time
        for byte in 'aé€😀z'.encode():
            os.write(1, bytes([byte]))
            time.sleep(0.025)
      `,
      {
        onStdout: (chunk) => {
          heard += chunk
        },
      },
    )
    expect([stdout, heard]).toEqual(['aé€😀z', 'aé€😀z'])
  })

  test('A3: invalid UTF-8 becomes replacement characters, and the rest arrives', async () => {
    const session = await open()
    const { stdout } = await session.execute(String.raw`import os; os.write(1, b'a\xff\xfeb\xc3'); None`)
    expect(stdout).toBe('a\ufffd\ufffdb\ufffd')
  })

  test('A3: an incomplete character does not leak into the next execution', async () => {
    const session = await open()
    await session.execute(String.raw`import os; os.write(1, b'\xe2\x82'); None`)
    expect((await session.execute('print("next")')).stdout).toBe('next\n')
  })

  test('A3: NUL, a byte order mark and other control characters arrive', async () => {
    const session = await open()
    const { stdout } = await session.execute(String.raw`print('\ufeffa\0b\x1b[0m\x7f', end='')`)
    expect(stdout).toBe('\ufeffa\0b\x1b[0m\x7f')
  })

  test('A3: a lone surrogate cannot be printed and is a UnicodeEncodeError, as in Python', async () => {
    const session = await open()
    expect((await pythonErrorOf(session.execute(String.raw`print('\ud800')`))).type).toBe(
      'UnicodeEncodeError',
    )
  })

  test('A3: output over the limit is cut there, and the execution fails with LimitError', async () => {
    const session = await open({ limits: { outputBytes: 1000 } })
    const error = await rejectionOf(
      LimitError,
      session.execute('for n in range(1000): print("0123456789", end="")'),
    )
    expect(error).toMatchObject({ code: 'LIMIT', limit: 'outputBytes', max: 1000, outcome: 'interrupted' })
    expect(error.stdout).toBe('0123456789'.repeat(100))
  })

  test('A3: a single write over the output limit is cut inside it', async () => {
    const session = await open({ limits: { outputBytes: 10 } })
    const error = await rejectionOf(LimitError, session.execute('print("0123456789abcdef")'))
    expect(error.stdout).toBe('0123456789')
  })

  test('A3: the cut at the output limit does not split a character', async () => {
    const session = await open({ limits: { outputBytes: 10 } })
    const error = await rejectionOf(LimitError, session.execute('print("€" * 10)'))
    expect(error.stdout).toBe('€€€')
  })

  test('A3: output of exactly the limit is allowed', async () => {
    const session = await open({ limits: { outputBytes: 10 } })
    expect((await session.execute('print("0123456789", end="")')).stdout).toBe('0123456789')
  })

  test('A3: the output limit applies to each stream and each execution separately', async () => {
    const session = await open({ limits: { outputBytes: 10 } })
    for (let round = 0; round < 2; round++) {
      const result = await session.execute(
        'import sys; print("012345678"); print("abcdefghi", file=sys.stderr)',
      )
      expect(result).toMatchObject({ stdout: '012345678\n', stderr: 'abcdefghi\n' })
    }
    const error = await rejectionOf(LimitError, session.execute('sys.stderr.write("x" * 11)'))
    expect(error).toMatchObject({ stdout: '', stderr: 'x'.repeat(10) })
  })

  test('A3: redirecting sys.stdout captures print and nothing else', async () => {
    const session = await open()
    const { stdout, value } = await session.execute(py`
      import contextlib, io, os
      with contextlib.redirect_stdout(io.StringIO()) as caught:
          print('caught')
          os.write(1, b'written')
      caught.getvalue()
    `)
    expect([stdout, value]).toEqual(['written', 'caught\n'])
  })

  test('A3: output works again after code replaced sys.stdout with None', async () => {
    const session = await open()
    await session.execute('import sys; sys.stdout.flush(); sys.stdout = None; print("nowhere")')
    expect((await session.execute('sys.stdout = sys.__stdout__; print("back")')).stdout).toBe('back\n')
  })
})

describeSessions(
  'much output, and what listeners receive',
  (open) => {
    test('A3: the chunks that listeners receive add up to exactly the output', async () => {
      const heard = { session: '', call: '', stderr: '' }
      const session = await open({
        onStdout: (chunk) => {
          heard.session += chunk
        },
        onStderr: (chunk) => {
          heard.stderr += chunk
        },
      })
      const { stdout, stderr } = await session.execute(
        py`
        import sys
        for n in range(20_000):
            print(n, 'äöü', end=' ')
            if n % 100 == 0: sys.stderr.write('€')
      `,
        {
          onStdout: (chunk) => {
            heard.call += chunk
          },
        },
      )
      expect(stdout.length).toBeGreaterThan(100_000)
      expect(heard.call === stdout).toBe(true)
      expect(heard.session.endsWith(stdout)).toBe(true)
      expect(stderr).toBe('€'.repeat(200))
      expect(heard.stderr.endsWith(stderr)).toBe(true)
    })

    test('A3: an async listener that never settles is called at most 100,000 times, and its execution rejects', async () => {
      let calls = 0
      const onOutput = () => {
        calls += 1
        return new Promise<void>(() => {})
      }
      const limits = { callbackTimeoutMs: 1 }
      const listeners = new Listeners({ limits, ...NO_LISTENERS }, { ...NO_LISTENERS, onOutput })
      const lengths = new Uint32Array(60_000).fill(1)
      for (let chunk = 0; chunk < 3; chunk++)
        listeners.onOutput({ stream: 1, text: 'ab'.repeat(30_000), lengths })
      await expect(listeners.finish(Promise.resolve(1))).rejects.toThrow('100000 promises of listeners')
      expect(calls).toBe(100_000)
    })

    test('A3: listeners that do not settle in time cause one process warning, and so do all that reject later', async () => {
      const session = await open({ limits: { callbackTimeoutMs: 20 } })
      const ended = deferred()
      const warnings: unknown[] = []
      const onWarning = (warning: Error) => warnings.push(warning.message)
      process.on('warning', onWarning)
      let failures = 0
      const onStderr = () =>
        ended.promise.then(() => {
          failures += 1
          throw new Error('too late')
        })
      const code = 'import sys\nfor n in range(5): print(n, file=sys.stderr, flush=True)'
      await session.execute(code, { onStderr, onDisplay: onStderr })
      ended.resolve()
      await until(() => failures > 0 && warnings.length >= 2)
      await new Promise(setImmediate)
      expect(failures).toBeGreaterThan(1)
      process.off('warning', onWarning)
      expect(warnings).toEqual([
        'onStderr did not settle within callbackTimeoutMs (20 ms) after the execution',
        'onStderr failed after its execution had ended: too late',
      ])
      expect((await session.execute('6 * 7')).value).toBe(42)
    })

    test('A3: a megabyte in one write arrives whole', async () => {
      const session = await open()
      const { stdout } = await session.execute('print("é" * 500_000 + "end", end="")')
      expect(stdout.length).toBe(500_003)
      expect(stdout === `${'é'.repeat(500_000)}end`).toBe(true)
    })

    test('A3: a megabyte in many writes to both streams arrives whole', async () => {
      const session = await open()
      const { stdout, stderr } = await session.execute(py`
      import sys
      for n in range(10_000):
          print(f'{n:0100}')
          sys.stderr.write('x' * 100)
    `)
      const lines = stdout.split('\n')
      expect(lines.length).toBe(10_001)
      expect(lines.every((line, n) => n === 10_000 || Number(line) === n)).toBe(true)
      expect(stderr === 'x'.repeat(1_000_000)).toBe(true)
    })

    test('A3: null removes the output limit', async () => {
      const session = await open({ limits: { outputBytes: null } })
      const { stdout } = await session.execute('for n in range(10): print("x" * 1_000_000, end="")')
      expect(stdout.length).toBe(10_000_000)
    })

    test('A3: an endless writer is stopped by the output limit, long before its deadline', async () => {
      const session = await open({ limits: { outputBytes: 100_000 }, executionTimeoutMs: 30_000 })
      const error = await rejectionOf(LimitError, session.execute('kept = 1\nwhile True: print("spam")'))
      expect(error.stdout.length).toBe(100_000)
      expect(await session.get('kept')).toBe(1)
    })

    test('A3: output of a spinning execution arrives while it spins', async () => {
      const session = await open()
      const heard = await new Promise((resolve, reject) => {
        session
          .execute('import sys\nwhile True: print("spinning")', {
            timeoutMs: 20_000,
            onStdout: (chunk) => resolve(chunk.startsWith('spinning')),
          })
          .catch(reject)
      })
      expect(heard).toBe(true)
    })

    test('A3: the first output of an execution arrives at once, even right after the previous execution’s output', async () => {
      const session = await open({ limits: { interruptGraceMs: 0 } })
      await session.execute('print("before")', { onStdout: () => {} })
      const controller = new AbortController()
      // Only the write itself can deliver it: sum() never checks for signals.
      const running = session.execute('print("first"); sum(range(10**12))', {
        signal: controller.signal,
        onStdout: () => controller.abort(),
      })
      await rejectionOf(CancelledError, running)
    })

    test('A3: an async listener may wait for a call of its own session', async () => {
      const session = await open()
      const values: unknown[] = []
      const onStdout = async () => values.push(await session.get('x'))
      await session.execute('x = 42; print(x)', { onStdout })
      expect(values).toEqual([42])
    })

    test('A3: a listener whose promise rejects makes its execution reject', async () => {
      const session = await open()
      const boom = new Error('from the async listener')
      const onStdout = async () => {
        throw boom
      }
      await expect(session.execute('print(1); kept = 1', { onStdout })).rejects.toBe(boom)
      expect(await session.get('kept')).toBe(1)
    })
  },
  [fresh],
)
