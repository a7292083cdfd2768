// Tests the package as users get it: packs it, installs it into an empty project, and tries it with the tools that they use: TypeScript
// from 5.4 on, Jest, vitest's vmThreads, esbuild, rolldown, webpack, file tracing. Owns the temporary folder; needs a build. The tools come
// from test/installs/package.json and from this repository. `--next` adds Next, which takes minutes. `--only TEXT` runs the checks whose
// names contain it. `--keep` keeps the folder.
import { spawn } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'
import { SUBPATHS } from './subpaths.mjs'
import { TSC } from './tsc.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const fixtures = join(root, 'test/installs')
const windows = process.platform === 'win32'
const cacheDir = join(root, 'node_modules/.cache/brumate')
const imageFacts = join(root, 'dist/workers/image.json')
const folder = mkdtempSync(join(tmpdir(), 'brumate-installs-'))
/** Inside `folder`, so that it finds the tools. The package itself must not need them. */
const project = join(folder, 'project')
/** Outside of `folder`, where nothing is installed. */
const elsewhere = mkdtempSync(join(tmpdir(), 'brumate-elsewhere-'))
const toolRequire = createRequire(join(folder, 'package.json'))

const HELLO = 'hello from __main__\n42\n42\n'
/** The expected output of test/installs/stores.mjs. */
const STORES = `${[
  'true true',
  ...['pg', 'redis', '@aws-sdk/client-s3', '@modelcontextprotocol/server'].map(missing),
  'true',
  ...['ai', '@anthropic-ai/sdk', '@openai/agents'].map(missing),
  'NotSupportedError',
  'true true',
  missing('@hono/zod-openapi'),
  'true',
].join('\n')}\n`
const REFUSED = /^InstallationError INSTALLATION: brumate was bundled without .*external/

const facts = readFileSync(imageFacts, 'utf8')
try {
  // Like `prepack`, but with the tests' image: the programs below then run only if the installed package finds that one.
  await node([join(root, 'scripts/image-id.mjs'), cacheDir], root)
  const packed = await pack()
  await install(packed.filename)
  const failures = []
  await inTurns(2, checks(packed), async ([name, check]) => {
    const startedMs = performance.now()
    try {
      await check()
      console.log(`✓ ${name} (${((performance.now() - startedMs) / 1000).toFixed(1)} s)`)
    } catch (error) {
      failures.push(name)
      console.log(`✗ ${name}\n${error.message}`)
    }
  })
  console.log(`${packed.filename}: ${packed.files.length} files, ${Math.round(packed.size / 1024)} KiB`)
  if (failures.length > 0) throw new Error(`failed: ${failures.join(', ')}`)
} finally {
  // A checkout has no id, because its image changes with every change of its source.
  writeFileSync(imageFacts, facts)
  if (process.argv.includes('--keep')) console.log(`kept: ${folder} ${elsewhere}`)
  else for (const path of [folder, elsewhere]) rmSync(path, { recursive: true, force: true, maxRetries: 3 })
}

function missing(name) {
  return `InstallationError: the package ${name} cannot be loaded; run \`npm install ${name}\``
}

async function pack() {
  const args = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder]
  const [packed] = JSON.parse(await npm(args, root))
  return packed
}

async function install(filename) {
  for (const name of ['package.json', 'package-lock.json']) cpSync(join(fixtures, name), join(folder, name))
  mkdirSync(project)
  writeFileSync(join(project, 'package.json'), JSON.stringify({ private: true, type: 'module' }))
  const quiet = ['--prefer-offline', '--no-audit', '--no-fund']
  try {
    const [, output] = await Promise.all([
      npm(['ci', '--ignore-scripts', ...quiet], folder),
      npm(['install', ...quiet, join(folder, filename)], project, true),
    ])
    if (/warn|deprecated/i.test(output)) throw new Error(`npm warns a user who installs brumate:\n${output}`)
  } catch (cause) {
    throw new Error('the package, or the tools it is tried with, cannot be installed; is there a registry?', {
      cause,
    })
  }
  for (const name of readdirSync(fixtures)) {
    if (!name.startsWith('package')) cpSync(join(fixtures, name), join(project, name))
  }
}

/** The checks, longest first. */
function checks(packed) {
  const typescripts = ['typescript-5.4', 'typescript-5.9']
  const list = [
    ['webpack follows `new URL`, and what it makes runs elsewhere, with a prebuilt image', webpacked],
    ['Jest', jest],
    ['vitest with vmThreads', vmThreads],
    ['files, links and dependencies of the package', () => checkPackage(packed)],
    ['a program', async () => expectText(await program(project), HELLO)],
    [
      'sub-paths, with none of the clients installed',
      async () => expectText(await program(project, 'stores.mjs'), STORES),
    ],
    ['file tracing finds what a program reads', traced],
    ['the program `brumate`, without a cache', commandLine],
    ['rolldown, with and without assets', rolledUp],
    ['esbuild', esbuilt],
    ...typescripts.map((name) => [name, () => types(toolRequire.resolve(name))]),
    ['TypeScript 6', () => types(createRequire(import.meta.url).resolve('typescript'))],
    ['TypeScript 7', () => node(['types-native.mjs', TSC, project], project)],
  ]
  const wanted = process.argv.indexOf('--only') + 1
  const all = process.argv.includes('--next') ? [['Next', next], ...list] : list
  return wanted > 0 ? all.filter(([name]) => name.includes(process.argv[wanted])) : all
}

// ── the package ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Checks that only needed files are packed, without source maps that lead nowhere and without broken links. */
function checkPackage({ files }) {
  const paths = new Set(files.map(({ path }) => path))
  const declarations = ['index', ...SUBPATHS].map((name) => `dist/src/${name}.d.ts`)
  const stray = [...paths].filter(
    (path) =>
      /\.(map|py|tsbuildinfo)$/.test(path) || (path.endsWith('.d.ts') && !declarations.includes(path)),
  )
  if (stray.length > 0) throw new Error(`files that nobody needs: ${stray.join(', ')}`)
  const installed = join(project, 'node_modules/brumate')
  for (const path of paths) {
    const text = /\.(m?c?js|md|ts)$/.test(path) ? readFileSync(join(installed, path), 'utf8') : ''
    if (text.includes('sourceMappingURL=')) throw new Error(`${path} names a source map`)
    if (!path.endsWith('.md')) continue
    for (const [, target] of text.matchAll(/\]\((?!https?:|mailto:|#)([^)\s#]+)/g)) {
      const linked = relative(installed, join(dirname(join(installed, path)), target)).replaceAll('\\', '/')
      if (!paths.has(linked) && ![...paths].some((other) => other.startsWith(`${linked}/`)))
        throw new Error(`${path} links to ${target}, which is not in the package`)
    }
  }
  const { dependencies } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'))
  if (Object.keys(dependencies).join() !== 'pyodide')
    throw new Error(`it depends on ${Object.keys(dependencies)}`)
}

function program(directory, file = 'program.mjs', env = { CACHE_DIR: cacheDir }) {
  return node([file], directory, env)
}

/** Without a home directory and a writable cache, the warning says what to do. Following it must work. */
async function commandLine() {
  const { bin, version } = JSON.parse(
    readFileSync(join(project, 'node_modules/brumate/package.json'), 'utf8'),
  )
  const brumate = join(project, 'node_modules/brumate', bin.brumate)
  expectText(await node([brumate, '--version'], project), `${version}\n`)
  const image = join(elsewhere, 'brumate.image')
  await node([brumate, 'image', 'build', '--standard', '-o', image, '--cache-dir', cacheDir], project)
  expectText(await program(project, 'program.mjs', { IMAGE: image, HOME: join(image, 'no-home') }), HELLO)
  // The server ends with its stdin. The program includes the SDK.
  expectText(await node([brumate, 'mcp', '--image', image, '--slots', '1'], project), '\n')
}

// ── TypeScript, test runners ────────────────────────────────────────────────────────────────────────────────────────────────────────────

function types(typescript) {
  return node(['types.mjs', typescript, project], project)
}

function jest() {
  const jestProgram = join(folder, 'node_modules/jest/bin/jest.js')
  const args = ['--runInBand', '--rootDir', project, '--testMatch', '**/realm.test.mjs']
  return node(['--experimental-vm-modules', jestProgram, ...args], project, { CACHE_DIR: cacheDir })
}

function vmThreads() {
  const vitest = join(root, 'node_modules/vitest/vitest.mjs')
  const args = ['--root', project, '--pool', 'vmThreads', '--globals', 'realm.test.mjs']
  return node([vitest, 'run', ...args], project, { CACHE_DIR: cacheDir })
}

// ── bundlers ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** esbuild does not follow `new URL`: the error says what to do. Following it must work. */
async function esbuilt() {
  const { build } = toolRequire('esbuild')
  const common = { bundle: true, platform: 'node', absWorkingDir: project, logLevel: 'silent' }
  const outdir = join(project, 'out/esbuild')
  await Promise.all([
    build({ ...common, entryPoints: ['program.mjs'], format: 'esm', outfile: join(outdir, 'all.mjs') }),
    build({ ...common, entryPoints: ['program-cjs.mjs'], format: 'cjs', outfile: join(outdir, 'all.cjs') }),
    build({
      ...{ ...common, entryPoints: ['program.mjs'], format: 'esm', outfile: join(outdir, 'without.mjs') },
      external: ['brumate'],
    }),
  ])
  expectText(await program(outdir, 'all.mjs'), REFUSED)
  expectText(await program(outdir, 'all.cjs'), REFUSED)
  expectText(await program(outdir, 'without.mjs'), HELLO)
}

async function rolledUp() {
  for (const [name, options, expected] of [
    ['plain', {}, REFUSED],
    ['assets', { experimental: { resolveNewUrlToAsset: true } }, HELLO],
  ]) {
    const dir = join(project, 'out', name)
    const bundle = await rolldown({
      input: join(project, 'program.mjs'),
      platform: 'node',
      logLevel: 'silent',
      ...options,
    })
    await bundle.write({ dir, format: 'esm' })
    await bundle.close()
    expectText(await program(dir, 'program.js'), expected)
  }
}

/** webpack copies every file that is read at run time, pyodide's too, so nothing else is installed where the program runs. */
async function webpacked() {
  const webpack = toolRequire('webpack')
  const path = join(elsewhere, 'webpack')
  const stats = await new Promise((resolve, reject) => {
    webpack(
      {
        ...{
          mode: 'development',
          devtool: false,
          target: 'node20',
          context: project,
          entry: './program.mjs',
        },
        output: { path, filename: 'program.mjs', module: true, chunkFormat: 'module' },
        experiments: { outputModule: true },
      },
      (error, result) => (error ? reject(error) : resolve(result)),
    )
  })
  const complaints = stats.toString({ all: false, errors: true, warnings: true })
  if (complaints !== '') throw new Error(complaints)
  if (!readdirSync(path).some((name) => name.endsWith('.wasm')))
    throw new Error('it left out the WebAssembly module')
  expectText(await program(path), HELLO)
}

// ── deployments ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Deploys only the files that tracing finds, as Next's `output: 'standalone'` and bundles for Lambda do. */
async function traced() {
  const { nodeFileTrace } = toolRequire('@vercel/nft')
  const { fileList } = await nodeFileTrace([join(project, 'program.mjs')], { base: project })
  const wanted = [
    'image.json',
    'kernel.json',
    'stdlib.zip',
    'tzdata.zip',
    'slot.bundle.cjs',
    'thread.bundle.cjs',
    'builder.bundle.cjs',
  ]
    .map((name) => `node_modules/brumate/dist/workers/${name}`)
    .concat(
      [
        'package.json',
        'pyodide.asm.mjs',
        'pyodide.asm.wasm',
        'python_stdlib.zip',
        'pyodide-lock.json',
        'pyodide.mjs',
      ].map((name) => `node_modules/pyodide/${name}`),
    )
  const missing = wanted.filter((path) => !fileList.has(path))
  if (missing.length > 0) throw new Error(`file tracing does not find ${missing.join(', ')}`)
  const directory = join(elsewhere, 'traced')
  for (const path of fileList) {
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    cpSync(join(project, path), join(directory, path))
  }
  expectText(await program(directory), HELLO)
}

async function next() {
  const app = join(elsewhere, 'next')
  mkdirSync(join(app, 'app/run'), { recursive: true })
  const dependencies = { next: '16.4.6', react: '19.2.0', 'react-dom': '19.2.0' }
  writeFileSync(join(app, 'package.json'), JSON.stringify({ private: true, type: 'module', dependencies }))
  await npm(['install', '--no-audit', '--no-fund', '--prefer-offline'], app)
  await npm(
    [
      'install',
      '--no-audit',
      '--no-fund',
      '--prefer-offline',
      join(
        folder,
        readdirSync(folder).find((name) => name.endsWith('.tgz')),
      ),
    ],
    app,
  )
  writeFileSync(
    join(app, 'next.config.mjs'),
    `export default { output: 'standalone', serverExternalPackages: ['brumate'] }\n`,
  )
  writeFileSync(
    join(app, 'app/layout.js'),
    `export default ({ children }) => <html><body>{children}</body></html>\n`,
  )
  writeFileSync(
    join(app, 'app/run/route.js'),
    `import { SessionManager } from 'brumate'
export const dynamic = 'force-dynamic'
export async function GET() {
  const manager = await SessionManager.create({ slots: 1, cacheDir: process.env.CACHE_DIR })
  const session = await manager.createSession()
  const { value } = await session.execute('6 * 7')
  await manager.close()
  return Response.json({ value })
}
`,
  )
  await node([join(app, 'node_modules/next/dist/bin/next'), 'build'], app, { NEXT_TELEMETRY_DISABLED: '1' })
  const standalone = join(app, '.next/standalone')
  const missing = ['stdlib.zip', 'slot.bundle.cjs', 'image.json'].filter(
    (name) => !existsSync(join(standalone, 'node_modules/brumate/dist/workers', name)),
  )
  if (missing.length > 0) throw new Error(`the standalone folder lacks ${missing}`)
  const server = spawn(process.execPath, ['server.js'], {
    cwd: standalone,
    env: { ...process.env, CACHE_DIR: cacheDir, PORT: '0', HOSTNAME: '127.0.0.1' },
  })
  try {
    let log = ''
    const address = await new Promise((resolve, reject) => {
      server.stdout.on('data', (chunk) => {
        log += chunk
        const found = /http:\/\/127\.0\.0\.1:\d+/.exec(log)
        if (found) resolve(found[0])
      })
      server.on('exit', (code) => reject(new Error(`the server ended (${code}): ${log}`)))
    })
    expectText(await (await fetch(`${address}/run`)).text(), '{"value":42}')
  } finally {
    server.kill()
  }
}

// ── processes ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** On Windows, npm is a script that only a shell can start. */
function npm(args, cwd, withStderr = false) {
  return run('npm', args, cwd, { shell: windows }, withStderr)
}

function node(args, cwd, env = {}) {
  return run(process.execPath, args, cwd, { env: { ...process.env, ...env } })
}

function run(command, args, cwd, options, withStderr = false) {
  // The terminal is not passed on: Jest would wait for it.
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], ...options })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (chunk) => {
    stdout += chunk
  })
  child.stderr.setEncoding('utf8').on('data', (chunk) => {
    stderr += chunk
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(withStderr ? stdout + stderr : stdout)
      reject(new Error(`${command} ${args.join(' ')}\nended with ${signal ?? code}\n${stdout}${stderr}`))
    })
  })
}

async function inTurns(count, items, work) {
  const left = [...items]
  const worker = async () => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item)
  }
  await Promise.all(Array.from({ length: count }, worker))
}

function expectText(got, expected) {
  if (expected instanceof RegExp ? expected.test(got) : got === expected) return
  throw new Error(
    `printed ${JSON.stringify(got)}, expected ${expected instanceof RegExp ? expected : JSON.stringify(expected)}`,
  )
}
