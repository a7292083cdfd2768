// What code shows with `display`, as in a notebook.
import type { Display, SessionManager } from 'brumate'
import { beforeAll, expect, test } from 'vitest'
import { py, pythonErrorOf } from '../support/session-code.js'
import { sharedManager } from '../support/shared-manager.js'
import { scaled } from '../support/slowness.mjs'

let manager: SessionManager
beforeAll(async () => {
  manager = await sharedManager({ slots: 4 })
})

const open = (options = {}) => manager.createSession({ checkpoint: 'manual', ...options })

test('displays keep their order and have text, and the value of the last expression comes last', async () => {
  await using session = await open()
  const { display, displays, value } = await session.execute(py`
    class Rich:
        def __repr__(self): return 'rich'
        def _repr_html_(self): return '<b>'
    display('a', 5, Rich())
    print('between')
    display({'a': 1})
    Rich()
  `)
  expect(displays).toEqual([
    { 'text/plain': "'a'" },
    { 'text/plain': '5' },
    { 'text/html': '<b>', 'text/plain': 'rich' },
    { 'text/plain': "{'a': 1}" },
    { 'text/html': '<b>' },
  ])
  expect(display).toEqual({ 'text/html': '<b>' })
  expect(value).toBe(undefined)
})

test('onDisplay of the session and of the execution is called while the code runs', async () => {
  const heard: unknown[] = []
  let hasHeard: (display: Display) => void = () => {}
  const first = new Promise((resolve) => {
    hasHeard = resolve
  })
  // The code waits until the host has received its first display.
  await using session = await open({
    onDisplay: (display: Display) => heard.push(display),
    callbacks: { heard: () => first.then(() => true) },
  })
  await session.execute(
    'display(1)\nawait heard()\ndisplay(2)\nclass C:\n  def _repr_html_(self): return "c"\nC()',
    { onDisplay: (display) => hasHeard(display) },
  )
  expect(heard).toEqual([{ 'text/plain': '1' }, { 'text/plain': '2' }, { 'text/html': 'c' }])
  await expect(
    session.execute('display(1)', {
      onDisplay: () => {
        throw new RangeError('of the listener')
      },
    }),
  ).rejects.toThrow('of the listener')
})

test('the names of IPython.display work without IPython', async () => {
  await using session = await open()
  const { displays, stderr } = await session.execute(py`
    from IPython.display import display, HTML, Markdown, Image, JSON, SVG, Latex, clear_output
    from IPython.core.display import HTML as Same
    import IPython
    assert Same is HTML and IPython.get_ipython() is None and IPython.display.HTML is HTML
    png = b'\x89PNG\r\n\x1a\n0'
    with open('/tmp/a.png', 'wb') as file: file.write(png)
    display(HTML('<i>'), Markdown('*m*'), Image(data=png), Image('/tmp/a.png'), JSON({'a': [1]}), SVG('<svg/>'), Latex('$x$'))
    display({'text/html': 'raw'}, raw=True)
    display(HTML('<i>'), exclude=['text/plain'])
  `)
  const png = Uint8Array.from(Buffer.from('\x89PNG\r\n\x1a\n0', 'latin1'))
  const text = (name: string) => ({ 'text/plain': `<IPython.core.display.${name} object>` })
  expect(stderr).toBe('')
  expect(displays).toEqual([
    { 'text/html': '<i>', ...text('HTML') },
    { 'text/markdown': '*m*', ...text('Markdown') },
    { 'image/png': png, ...text('Image') },
    { 'image/png': png, ...text('Image') },
    { 'application/json': '{"a": [1]}', ...text('JSON') },
    { 'image/svg+xml': '<svg/>', ...text('SVG') },
    { 'text/latex': '$x$', ...text('Latex') },
    { 'text/html': 'raw' },
    { 'text/html': '<i>' },
  ])
  const error = await pythonErrorOf(session.execute('import IPython.core.magic'))
  expect(error.type).toBe('ModuleNotFoundError')
})

test('an IPython that the session has installed takes precedence', async () => {
  await using session = await open()
  await session.execute(py`
    import os, sys
    os.makedirs('/tmp/site/IPython')
    with open('/tmp/site/IPython/__init__.py', 'w') as file: file.write('own = 1')
    sys.path.insert(0, '/tmp/site')
    import IPython
  `)
  expect(await session.execute('IPython.own')).toMatchObject({ value: 1 })
  expect((await pythonErrorOf(session.execute('import IPython.display'))).type).toBe('ModuleNotFoundError')
})

test('clear_output removes displays, and a display handle updates its own', async () => {
  await using session = await open()
  const { displays, stdout } = await session.execute(py`
    from IPython.display import clear_output
    for n in range(3):
        clear_output(wait=True)
        display(n)
    handle = display('old', display_id=True)
    display('x')
    handle.update('new')
    print('kept')
  `)
  expect(displays.map((one) => one['text/plain'])).toEqual(['2', "'new'", "'x'"])
  expect(stdout).toBe('kept\n')
  expect((await session.execute('display(1); clear_output()')).displays).toEqual([])
  expect((await session.execute('handle.update("later")')).displays).toEqual([{ 'text/plain': "'later'" }])
})

test('a format whose method raises is left out with a warning; the other formats and the value stay', async () => {
  await using session = await open()
  const { display, stderr, repr } = await session.execute(py`
    class Half:
        def __repr__(self): return 'half'
        def _repr_html_(self): raise ValueError('no html')
        def _repr_png_(self): return b'png'
    Half()
  `)
  expect([Object.keys(display), repr]).toEqual([['image/png'], 'half'])
  expect(stderr).toContain('Half._repr_html_ failed')
  expect(stderr).toContain('ValueError: no html')
})

test('a semicolon at the end suppresses the value', async () => {
  await using session = await open()
  for (const code of ['5;', '5 ;  # done', 'x = 1\n(x,\n 2);', 'display(1);'])
    expect(await session.execute(code), code).toMatchObject({
      value: undefined,
      repr: undefined,
      display: {},
    })
  expect((await session.execute('";"')).value).toBe(';')
  expect((await session.execute('1; 2')).value).toBe(2)
})

test('a callback named display hides the builtin only while it is registered', async () => {
  await using session = await open({ callbacks: { display: () => 'mine' } })
  expect((await session.execute('await display()')).value).toBe('mine')
  await session.setCallbacks({})
  expect((await session.execute('display(1)')).displays).toHaveLength(1)
  await session.clearState()
  expect((await session.execute('display(1)')).displays).toHaveLength(1)
})

test('displays beyond limits.resultBytes are left out, and stderr says so', async () => {
  await using session = await open({ limits: { resultBytes: 10_000 } })
  const { displays, stderr } = await session.execute(
    'from IPython.display import HTML\nfor n in range(3): display(HTML("x" * 4000))\ndisplay(HTML("é" * 6000))\ndisplay(1)',
  )
  expect(displays).toHaveLength(3)
  expect(stderr.match(/was left out: .*limits\.resultBytes/g)).toHaveLength(2)
  expect((await session.execute('display(HTML("x" * 9000))')).displays).toHaveLength(1)
})

test('a loop of displays can be interrupted', async () => {
  await using session = await open()
  const error = await session
    .execute('while True: display(1)', { timeoutMs: scaled(100) })
    .catch((thrown) => thrown)
  expect(error).toMatchObject({ name: 'TimeoutError', outcome: 'interrupted' })
  expect(error.displays.length).toBeGreaterThan(0)
})
