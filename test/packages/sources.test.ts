// Where wheels come from: the order of the sources, what each offers, and the errors if none has a package.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, test } from 'vitest'
import { Credentials, requestBytes } from '../../src/packages/http.js'
import { readRequirementsFile } from '../../src/packages/requirements-file.js'
import { indexSetting } from '../../src/packages/settings.js'
import { WheelCache } from '../../src/packages/wheel-cache.js'
import { PackageError } from '../../src/shared/errors.js'
import { FakeIndex } from './support/fake-index.js'
import { makeWheel, sha256, type TestWheel } from './support/pure-wheel.js'
import { resolveWith, temporaryDirectory } from './support/resolve-with.js'

async function directoryWith(wheels: readonly TestWheel[], lock?: object): Promise<string> {
  const directory = temporaryDirectory()
  for (const { file, bytes } of wheels) await writeFile(join(directory, file), bytes)
  if (lock) await writeFile(join(directory, 'pyodide-lock.json'), JSON.stringify(lock))
  return directory
}

function pyodideLock(
  wheels: readonly TestWheel[],
  depends: Readonly<Record<string, readonly string[]>> = {},
): object {
  const entry = ({ name, version, file, sha256 }: TestWheel) => ({
    ...{ name, version, file_name: file, sha256, package_type: 'package', install_dir: 'site' },
    ...{ depends: depends[name] ?? [], imports: [name] },
  })
  return {
    info: { abi_version: '2026_0', python: '3.14.2' },
    packages: Object.fromEntries(wheels.map((wheel) => [wheel.name, entry(wheel)])),
  }
}

async function errorOf(promise: Promise<unknown>): Promise<PackageError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof PackageError)) throw new Error(`not a PackageError: ${error}`)
  return error
}

const shown = ({ lock }: Awaited<ReturnType<typeof resolveWith>>) =>
  lock.packages.map(({ name, version, source }) => `${name} ${version} ${source}`)

describe('sources', () => {
  it('are asked in order: a package found in a directory is not looked up on the index', async () => {
    await using index = await FakeIndex.start([
      makeWheel('a', { version: '9' }),
      makeWheel('b', { version: '9' }),
    ])
    const directory = await directoryWith([makeWheel('a', { version: '1', requires: ['b'] })])
    const resolution = await resolveWith(index, ['a'], { directories: [directory] })
    expect(shown(resolution)).toEqual(['a 1 directory', 'b 9 index'])
    expect(index.requests.filter((path) => path.includes('/a/'))).toEqual([])
  })

  it('later in the order are asked if the first has no version that fits', async () => {
    await using index = await FakeIndex.start([makeWheel('a', { version: '9' })])
    const directory = await directoryWith([makeWheel('a', { version: '1' })])
    expect(shown(await resolveWith(index, ['a>2'], { directories: [directory] }))).toEqual(['a 9 index'])
  })

  it('with a lock file of Pyodide are resolved by that file, without reading METADATA', async () => {
    const old = makeWheel('b', { version: '1' })
    const a = makeWheel('a', { version: '1', requires: ['nowhere'] })
    const directory = await directoryWith(
      [a, old, makeWheel('b', { version: '2' })],
      pyodideLock([a, old], { a: ['b'] }),
    )
    const resolution = await resolveWith(undefined, ['a'], { directories: [directory] })
    expect(shown(resolution)).toEqual(['a 1 directory', 'b 1 directory'])
    expect(resolution.lock.packages[0]?.imports).toEqual(['a'])
  })

  it('that are mixed are resolved by their METADATA', async () => {
    const a = makeWheel('a', { version: '1', requires: ['b<2'] })
    const b = makeWheel('b', { version: '1' })
    const directory = await directoryWith([a, b], pyodideLock([a, b], { a: ['b'] }))
    await using index = await FakeIndex.start([
      makeWheel('b', { version: '2' }),
      makeWheel('a', { version: '2', requires: ['b'] }),
    ])
    const resolution = await resolveWith(index, ['a', 'b>=2'], { directories: [directory] })
    expect(shown(resolution)).toEqual(['a 2 index', 'b 2 index'])
  })

  it('include the Pyodide release, which needs no network', async () => {
    const { lock } = await resolveWith(undefined, ['pandas'])
    expect(lock.packages.map(({ name }) => name)).toEqual([
      'numpy',
      'pandas',
      'python-dateutil',
      'pytz',
      'six',
    ])
    expect(lock.packages.every(({ source, url }) => source === 'pyodide' && url === undefined)).toBe(true)
  })

  it('that are a wheel given by path are the only ones for its name', async () => {
    await using index = await FakeIndex.start([makeWheel('a', { version: '9' }), makeWheel('b')])
    const wheel = makeWheel('a', { version: '1.0+local', requires: ['b; extra == "x"'], extras: ['x'] })
    const directory = await directoryWith([wheel])
    const { lock, paths } = await resolveWith(index, [`${join(directory, wheel.file)}[x]`])
    expect(lock.packages.map(({ name, version }) => [name, version])).toEqual([
      ['a', '1.0+local'],
      ['b', '1.0'],
    ])
    expect(lock.requirements).toEqual([`a[x] @ ${wheel.file}`])
    expect(paths.get(wheel.sha256)).toBe(join(directory, wheel.file))
  })

  it('provide METADATA from the wheel if the index does not serve it separately', async () => {
    await using index = await FakeIndex.start([makeWheel('a', { requires: ['b'] }), makeWheel('b')])
    index.hasMetadata = false
    expect(shown(await resolveWith(index, ['a']))).toEqual(['a 1.0 index', 'b 1.0 index'])
  })

  it('may need a password, which is sent only to their host and is in no lock or message', async () => {
    await using index = await FakeIndex.start([makeWheel('a')])
    const seen: (string | undefined)[] = []
    index.intercept = (path, response, { headers }) => {
      seen.push(headers.authorization)
      if (!path.includes('/b/')) return false
      response.writeHead(401).end()
      return true
    }
    const indexUrl = index.url.replace('//', '//user:s%C3%A9cret@')
    const credentials = new Credentials(indexUrl)
    const cache = new WheelCache(temporaryDirectory(), credentials)
    const { lock } = await resolveWith(index, ['a'], { indexUrl, cache })
    await cache.download({ name: 'a', url: '', sha256: '', ...lock.packages[0] }, undefined)
    const error = await errorOf(resolveWith(index, ['b'], { indexUrl, cache }))
    const expected = `Basic ${Buffer.from('user:sécret').toString('base64')}`
    // Requests: the page of a, its METADATA, its wheel, and the page of b.
    expect(seen).toEqual([expected, expected, expected, expected])
    expect(JSON.stringify(lock) + String(error)).not.toMatch(/cret|user/)
    expect(credentials.addTo('https://elsewhere/a.whl')).toBe('https://elsewhere/a.whl')
  })
})

describe('an error', () => {
  it('for an unknown name suggests similar ones', async () => {
    await using index = await FakeIndex.start()
    const error = await errorOf(resolveWith(index, ['pandaz']))
    expect(error).toMatchObject({ code: 'PACKAGE', package: 'pandaz' })
    expect(error.message).toContain('did you mean pandas?')
  })

  it('for a package without a wheel for this Python lists what is available', async () => {
    await using index = await FakeIndex.start([
      makeWheel('a', { version: '2', tag: 'cp314-cp314-manylinux_2_28_x86_64' }),
    ])
    index.others.set('a', [{ filename: 'a-3.tar.gz', url: 'a-3.tar.gz', hashes: { sha256: sha256('') } }])
    const error = await errorOf(resolveWith(index, ['a']))
    expect(error.message).toMatch(
      /no wheel that runs here.* has a 2 for manylinux \(cp314\), a-3\.tar\.gz \(source\)$/,
    )
  })

  it('for a shared library of Pyodide, or a package that needs one, says that images cannot contain it', async () => {
    const library = { package_type: 'shared_library', file_name: 'libx-1.zip' }
    const a = makeWheel('a')
    const lock = pyodideLock([a], { a: ['libx'] }) as { packages: object }
    const directory = await directoryWith([a], { ...lock, packages: { ...lock.packages, libx: library } })
    for (const wanted of ['a', 'libx']) {
      const error = await errorOf(resolveWith(undefined, [wanted], { directories: [directory] }))
      expect.soft(error.package).toBe('libx')
      expect
        .soft(error.message)
        .toContain('libx-1.zip (a shared library without a package, which an image cannot have)')
    }
    expect((await errorOf(resolveWith(undefined, ['libopenblas']))).message).toContain('a shared library')
  })

  it('for a version that does not exist lists the available ones', async () => {
    await using index = await FakeIndex.start([
      makeWheel('a', { version: '1' }),
      makeWheel('a', { version: '2' }),
    ])
    const error = await errorOf(resolveWith(index, ['a>2']))
    expect(error.message).toContain('no version satisfies >2; available are 2, 1')
  })

  it('for an index that cannot be reached says what other sources have', async () => {
    await using index = await FakeIndex.start()
    index.intercept = (_, response) => {
      response.writeHead(403).end()
      return true
    }
    const old = await errorOf(resolveWith(index, ['pandas>99']))
    expect(old.message).toMatch(/^pandas: .*answers 403.* has 3\.[0-9.]+, which does not satisfy >99$/)
    expect((await errorOf(resolveWith(index, ['pandsa']))).message).toMatch(/Did you mean pandas/)
  })

  it('for an index that serves only HTML says so', async () => {
    await using index = await FakeIndex.start([makeWheel('a')])
    index.intercept = (_, response) => {
      response.setHeader('content-type', 'text/html')
      response.end('<html>')
      return true
    }
    expect((await errorOf(resolveWith(index, ['a']))).message).toContain('only indexes with JSON (PEP 691)')
  })

  it('for an index that sends its response too slowly ends the request', async () => {
    await using index = await FakeIndex.start()
    let sending: NodeJS.Timeout | undefined
    index.intercept = (_, response) => {
      response.writeHead(200)
      sending = setInterval(() => response.write(' '), 5)
      return true
    }
    const page = { url: `${index.url}/a/`, maxBytes: 2 ** 20, maxMs: 50, signal: undefined }
    await expect(requestBytes(page)).rejects.toThrow('sends too slowly')
    clearInterval(sending)
    expect(index.requests).toHaveLength(1)
  })

  it('for METADATA with a wrong hash names the package', async () => {
    await using index = await FakeIndex.start([makeWheel('a')])
    index.intercept = (path, response) => {
      if (!path.endsWith('.metadata')) return false
      response.end('Name: b\nVersion: 1.0\n')
      return true
    }
    expect((await errorOf(resolveWith(index, ['a']))).message).toContain(
      'does not match its hash: expected sha-256',
    )
  })

  it.each([
    ['a @ https://host/a-1.0-py3-none-any.whl', 'addresses are not supported'],
    ['https://host/a-1.0-py3-none-any.whl', 'addresses are not supported'],
    ['./a-1.0.tar.gz', 'is not a wheel'],
    ['./a-1.0-cp39-cp39-win_amd64.whl', 'does not run here'],
    ['./nowhere-1.0-py3-none-any.whl', 'does not exist'],
    ['a >=', 'is not a requirement'],
  ])('for %s explains what is wrong', async (text, reason) => {
    expect((await errorOf(resolveWith(undefined, [text]))).message).toContain(reason)
  })
})

test('a candidate whose METADATA cannot be parsed is skipped', async () => {
  await using index = await FakeIndex.start([
    makeWheel('a', { version: '1' }),
    makeWheel('a', { version: '2', requires: ['=x='] }),
  ])
  expect(shown(await resolveWith(index, ['a']))).toEqual(['a 1 index'])
})

test('a requirements file may contain comments, continued lines, other files, constraints and hashes', async () => {
  const directory = temporaryDirectory()
  const a = makeWheel('a', { version: '1' })
  await using index = await FakeIndex.start([
    ...[
      a,
      makeWheel('a', { version: '2' }),
      makeWheel('b', { version: '1' }),
      makeWheel('b', { version: '2' }),
    ],
    ...[makeWheel('c', { requires: ['b'] }), makeWheel('d')],
  ])
  await mkdir(join(directory, 'more'))
  const lines = [
    '# a comment',
    `a \\\n  --hash=sha256:${'0'.repeat(64)} \\\n  --hash=sha256:${a.sha256}   # its end`,
    'd ; sys_platform == "win32"',
    '-c constraints.txt',
    '--requirement more/requirements.txt',
  ]
  await writeFile(join(directory, 'requirements.txt'), lines.join('\r\n'))
  await writeFile(
    join(directory, 'more', 'requirements.txt'),
    '\uFEFFc>=1.0 # comment\n-r ../requirements.txt',
  )
  await writeFile(join(directory, 'constraints.txt'), 'b<2\nnever-needed==1')
  const found = await readRequirementsFile(join(directory, 'requirements.txt'))
  const resolution = await resolveWith(index, [], { ...found })
  expect(shown(resolution)).toEqual(['a 1 index', 'b 1 index', 'c 1.0 index'])
  expect(resolution.lock.requirements).toEqual(['a', 'c>=1.0'])
})

test.each([
  ['-i https://host/simple', 'use the option indexUrl'],
  ['--extra-index-url https://host', 'would be taken instead'],
  ['-e .', 'build a wheel'],
  ['-r https://host/r.txt', 'only files can be read'],
  ['a --hash=md5:00', 'only --hash=sha256'],
  ['a --global-option=x', 'is not supported'],
])('a requirements file with %s is rejected with the line number', async (line, reason) => {
  const path = join(temporaryDirectory(), 'requirements.txt')
  await writeFile(path, `\n${line}\n`)
  const error = await errorOf(readRequirementsFile(path))
  expect(error.message).toContain(`${path}, line 2: `)
  expect(error.message).toContain(reason)
})

test('the index comes from the environment, or else from configuration files', async () => {
  const home = temporaryDirectory()
  const cwd = temporaryDirectory()
  const machine = { platform: 'linux', home, cwd, env: { XDG_CONFIG_DIRS: home } as NodeJS.ProcessEnv }
  const pip = join(home, '.config', 'pip')
  await mkdir(pip, { recursive: true })
  expect(
    await indexSetting({ ...machine, env: { PIP_CONFIG_FILE: '/dev/null', UV_CONFIG_FILE: cwd } }),
  ).toBeUndefined()
  await writeFile(join(cwd, 'uv.toml'), '[[index]]\nname = "x"\nurl = "https://uv/simple"\ndefault = true\n')
  const url = async (env: NodeJS.ProcessEnv = {}) => {
    const setting = await indexSetting({ ...machine, env: { ...machine.env, ...env } })
    return typeof setting === 'object' ? setting.url : setting
  }
  expect(await url({ PIP_CONFIG_FILE: '/dev/null' })).toBe('https://uv/simple')
  await writeFile(join(pip, 'pip.conf'), '# mine\n[global]\ntimeout = 3\nindex-url = https://pip/simple\n')
  expect(await url()).toBe('https://pip/simple')
  expect(await url({ UV_DEFAULT_INDEX: 'corp=https://env/simple' })).toBe('https://env/simple')
  expect(await url({ UV_DEFAULT_INDEX: 'https://env/simple', PIP_INDEX_URL: 'https://first' })).toBe(
    'https://first',
  )
  expect(await url({ PIP_NO_INDEX: '1' })).toBe('disabled')
})
