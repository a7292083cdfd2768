// Smoke test of the package as its users get it: pack, install into an empty project, run a program, type-check another.
// Owns the temporary project; expects a build. What npm already has in its cache is not fetched again.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const require = createRequire(import.meta.url)
const windows = process.platform === 'win32'

const PROGRAM = `
import { SessionManager } from 'brumate'

const manager = await SessionManager.create({ slots: 1, cacheDir: process.argv[2] })
process.on('warning', (warning) => {
  throw warning
})
const session = await manager.createSession()
const { stdout, value } = await session.execute('print("hello from", __name__)\\n6 * 7')
console.log(stdout.trimEnd(), value)
await manager.close()
`

/** Whether the installed package knows its image: else it would take any of this user's own. */
const KNOWS_IMAGE = `
const load = (name) => import(new URL('node_modules/brumate/dist/src/image/' + name + '.js', import.meta.url))
const [{ imageKey }, { standardImageId }] = await Promise.all([load('key'), load('standard')])
console.log(await standardImageId(await imageKey()))
`

/** What a user would write, with every name of the API that carries types. */
const CONSUMER = `
import { type ExecuteResult, type ManagerOptions, PythonError, SessionManager, TimeoutError, type Value } from 'brumate'

const options: ManagerOptions = { slots: 2, limits: { executionTimeoutMs: 1_000, memoryBytes: null } }

export async function answer(code: string, signal: AbortSignal): Promise<Value | undefined> {
  await using manager = await SessionManager.create(options)
  await using session = await manager.createSession({ tenant: 'a', onStdout: (chunk: string) => void chunk.length })
  try {
    const result: ExecuteResult = await session.execute(code, { signal, timeoutMs: 500 })
    await session.set('x', { when: new Date(), bytes: new Uint8Array(3), some: [1, 2n, null, true] })
    return result.value ?? (await session.get('x'))
  } catch (error) {
    if (error instanceof TimeoutError) return error.outcome
    if (error instanceof PythonError) return error.type
    throw error
  }
}

// @ts-expect-error an option that does not exist
await SessionManager.create({ slot: 2 })
`

const cacheDir = join(root, 'node_modules/.cache/brumate')
const imageId = join(root, 'dist/src/image/image-id.json')
const project = mkdtempSync(join(tmpdir(), 'brumate-smoke-'))
try {
  // As `prepack` does, but with the tests' image: the program below then runs only if the installed package takes that one.
  run(process.execPath, [join(root, 'scripts/image-id.mjs'), cacheDir], root)
  const { id: packedId } = JSON.parse(readFileSync(imageId, 'utf8'))
  const [packed] = JSON.parse(
    npm(['pack', '--ignore-scripts', '--json', '--pack-destination', project], root),
  )
  checkFiles(packed.files.map(({ path }) => path))

  writeFileSync(join(project, 'package.json'), JSON.stringify({ private: true, type: 'module' }))
  npm(['install', '--prefer-offline', '--no-audit', '--no-fund', join(project, packed.filename)], project)

  writeFileSync(join(project, 'program.js'), PROGRAM)
  const printed = run(process.execPath, ['program.js', cacheDir], project)
  expectText(printed, 'hello from __main__ 42\n', 'the program')

  writeFileSync(join(project, 'knows-image.js'), KNOWS_IMAGE)
  expectText(run(process.execPath, ['knows-image.js'], project), `${packedId}\n`, 'image-id.json')

  const program = join(project, 'node_modules/brumate/dist/src/cli/main.js')
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  expectText(run(process.execPath, [program, '--version'], project), `${version}\n`, 'brumate --version')

  writeFileSync(join(project, 'consumer.ts'), CONSUMER)
  const compile = [require.resolve('typescript/bin/tsc'), '--strict', '--noEmit']
  const target = ['--module', 'nodenext', '--target', 'esnext', '--lib', 'esnext,dom']
  const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules/@types')]
  run(process.execPath, [...compile, ...target, ...types, 'consumer.ts'], project)
  console.log(
    `${packed.filename}: ${packed.files.length} files, ${Math.round(packed.size / 1024)} KiB; installed, ran, type-checked`,
  )
} finally {
  // In a checkout there is none: its image changes with every change of its source.
  rmSync(imageId, { force: true })
  rmSync(project, { recursive: true, force: true, maxRetries: 3 })
}

/** Nothing that is not needed to use the package, and everything that is. */
function checkFiles(paths) {
  const stray = paths.filter(
    (path) =>
      !/^(dist\/(src|workers)\/|docs\/|(README\.md|SECURITY\.md|LICENSE|CHANGELOG\.md|package\.json)$)/.test(
        path,
      ),
  )
  if (stray.length > 0) fail(`${stray.length} files do not belong into the package, such as ${stray[0]}`)
  for (const needed of [
    'dist/src/index.js',
    'dist/src/index.d.ts',
    'dist/src/image/image-id.json',
    'dist/workers/slot.bundle.cjs',
    'dist/workers/storage.bundle.cjs',
    'dist/workers/builder.js',
    'README.md',
    'SECURITY.md',
    'LICENSE',
  ]) {
    if (!paths.includes(needed)) fail(`the package lacks ${needed}`)
  }
  if (!paths.some((path) => /^dist\/workers\/kernel\/.+\.py$/.test(path)))
    fail('the package lacks the kernel')
}

function npm(args, cwd) {
  // On Windows npm is a script that only a shell can start.
  return run('npm', args, cwd, { shell: windows })
}

function run(command, args, cwd, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8', ...options })
  if (error) fail(`${command} did not start: ${error.message}`)
  if (status !== 0) fail(`${command} ${args.join(' ')}\nended with exit code ${status}\n${stdout}${stderr}`)
  return stdout
}

function expectText(got, expected, what) {
  if (got !== expected) fail(`${what} printed ${JSON.stringify(got)}, expected ${JSON.stringify(expected)}`)
}

function fail(message) {
  throw new Error(message)
}
