// Compiles src/ and workers/ into dist/, bundles what the package ships, and adds the kernel's Python files, the time zones and the
// standard library. Needs only Node and npm packages. `--no-check` leaves out the check of types, which `npm run types` does too.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'
import { writeLicenses } from './licenses.mjs'
import { SUBPATHS } from './subpaths.mjs'
import { TSC } from './tsc.mjs'
import { writeTypes } from './types.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const require = createRequire(import.meta.url)
/** Packages that are loaded when first needed, and their names in src/install/files.ts. */
const LATE_PACKAGES = { 'ajv/dist/2020.js': 'ajv', 'msgpackr/pack': 'msgpackr' }
/** Clients of stores, which users install: the program loads a client when it opens such a store. */
const CLIENTS = /^(@aws-sdk\/client-s3|pg|redis)$/
/** Declarations that sub-paths import from the library. */
const LIBRARY_TYPES = [
  'callbacks/schema.d.ts',
  'index.d.ts',
  'manager.d.ts',
  'options.d.ts',
  'options/execution.d.ts',
  'options/limits.d.ts',
  'session.d.ts',
  'shared/display.d.ts',
  'shared/errors.d.ts',
  'shared/messages/slot.d.ts',
  'store/store.d.ts',
  'telemetry/telemetry.d.ts',
  'vfs/storage.d.ts',
]
/** Modules that sub-paths import from the library, so that their classes exist only once. The library exports what they need. */
const LIBRARY_MODULES = {
  'manager.js': 'index',
  'shared/errors.js': 'errors',
  'store/memory-store.js': 'index',
  'vfs/storage.js': 'index',
}
/** Packages whose code is in a bundle; their licenses are shipped with it. */
const bundled = new Set()

say('compiling')
rmSync(join(root, 'dist'), { recursive: true, force: true })
// Removed, because scripts that are imported below read the arguments too.
const unchecked = process.argv.splice(2).includes('--no-check') ? ['--noCheck'] : []
const compiling = [TSC, '-p', join(root, 'tsconfig.json'), ...unchecked]
const compiled = spawnSync(process.execPath, compiling, { stdio: 'inherit' })
if (compiled.status !== 0) process.exit(compiled.status ?? 1)
writeFileSync(
  join(root, 'dist/workers/kernel.json'),
  JSON.stringify(textsBelow(join(root, 'workers/kernel'))),
)
say('adding time zones and the standard library')
await import('./zoneinfo.mjs')
await import('./stdlib.mjs')
say('bundling')
await writeTypes(join(root, 'dist/src/index.d.ts'))
await bundleLibrary()
for (const name of SUBPATHS) await bundleSubpath(name)
await bundleForBrowsers('client')
await bundleProgram()
for (const name of ['slot', 'storage', 'builder', 'image-loader'])
  await bundleFile(join(root, `dist/workers/${name}.js`), `workers/${name}.bundle.cjs`)
await bundleFile(join(dirname(require.resolve('piscina')), 'worker.js'), 'workers/thread.bundle.cjs')
await bundleFile(require.resolve('ajv/dist/2020.js'), 'packages/ajv.cjs')
// Only its writer, which needs no native code.
await bundleFile(join(root, 'node_modules/msgpackr/pack.js'), 'packages/msgpackr.cjs')
await import('./image-key.mjs')
writeLicenses(bundled, join(root, 'dist/licenses.txt'))

/** A build takes ten seconds or more, and `npm run tour` and others wait for it. */
function say(step) {
  console.error(`build: ${step} …`)
}

/** The kernel in one file that a bundler can copy: an object of paths and texts. */
function textsBelow(directory, prefix = '') {
  const entries = readdirSync(directory, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
  const texts = {}
  for (const entry of entries) {
    const path = join(directory, entry.name)
    if (entry.name === '__pycache__' || entry.name.endsWith('.pyc')) continue
    if (entry.isDirectory()) Object.assign(texts, textsBelow(path, `${prefix}${entry.name}/`))
    else texts[`${prefix}${entry.name}`] = readFileSync(path, 'utf8')
  }
  return texts
}

/**
 * Puts the library and its packages into one file, and each package that is loaded later into a file of its own. Loading a hundred modules
 * would take Node 50 ms longer; and bundlers, file tracing and test runners find no package but pyodide. The modules are kept for tests.
 * Paths relative to a module are also valid in the bundle, because it is equally deep.
 */
async function bundleLibrary() {
  // Entry of the unbundled modules, for test builds that change a module.
  renameSync(join(root, 'dist/src/index.js'), join(root, 'dist/src/modules.js'))
  // The errors are in a file of their own, for sub-paths that need nothing else from the library. It also has small modules that everything
  // needs, which saves the library one file.
  const modules = ['shared/errors', 'shared/thrown', 'shared/realms', 'install/require', 'install/files']
  const exports = [...modules, 'shared/image/file-blocks'].map((name) => `export * from './${name}.js'\n`)
  writeFileSync(join(root, 'dist/src/base.js'), exports.join(''))
  await bundleInto('bundle', { index: 'modules.js', errors: 'base.js' })
  writeFileSync(join(root, 'dist/src/index.js'), "export * from './bundle/index.js'\n")
}

/**
 * Bundles a sub-path such as `brumate/stores/redis` into one file, which imports errors and other classes from the library. Clients stay
 * packages that users install.
 */
async function bundleSubpath(name) {
  const library = `./${'../'.repeat(name.split('/').length - 1)}`
  const modules = Object.fromEntries(
    Object.entries(LIBRARY_MODULES).map(([file, bundle]) => [
      join(root, 'dist/src', file),
      `${library}bundle/${bundle}.js`,
    ]),
  )
  const bundle = await rolldown({
    input: join(root, `dist/src/${name}/index.js`),
    platform: 'node',
    external: (id, importer) => importer !== undefined && !/^[./]/.test(id),
    logLevel: 'warn',
    plugins: [redirect(modules)],
  })
  await bundle.write({
    file: join(root, `dist/src/${name}.js`),
    format: 'esm',
    keepNames: true,
    sourcemap: false,
  })
  await bundle.close()
  const types = Object.fromEntries(
    LIBRARY_TYPES.map((file) => [join(root, 'dist/src', file), `${library}index.js`]),
  )
  await writeTypes(join(root, `dist/src/${name}/index.d.ts`), join(root, `dist/src/${name}.d.ts`), [
    redirect(types),
  ])
}

/** Bundles a sub-path into one file that does not need Node. It contains the errors, because a page has no library beside it. */
async function bundleForBrowsers(name) {
  const file = (path) => join(root, `dist/src/${name}/browser/${path}.js`)
  const bundle = await rolldown({
    input: join(root, `dist/src/${name}/index.js`),
    platform: 'browser',
    logLevel: 'warn',
    resolve: { alias: { 'node:util/types': file('util-types'), 'node:util': file('util') } },
  })
  await bundle.write({
    file: join(root, `dist/src/${name}.browser.js`),
    format: 'esm',
    keepNames: true,
    sourcemap: false,
  })
  await bundle.close()
}

/** Turns imports of a file into imports of another path, which stays outside the bundle. */
function redirect(paths) {
  return {
    name: 'redirect',
    async resolveId(source, importer) {
      if (importer === undefined || !source.startsWith('.')) return null
      const id = join(dirname(importer), source)
      const path = paths[id] ?? paths[id.replace(/\.js$/, '.d.ts')]
      return path === undefined ? null : { id: path, external: true }
    },
  }
}

/** The program has its own bundle: chunks shared with the library would mean more files for everybody to read. */
async function bundleProgram() {
  await bundleInto('program', { index: 'cli/main.js' })
}

/** @param entries names of files, with the module that each begins with */
async function bundleInto(folder, entries) {
  const input = Object.entries(entries).map(([name, entry]) => [name, join(root, 'dist/src', entry)])
  const bundle = await rolldown({
    input: Object.fromEntries(input),
    platform: 'node',
    external: [/^node:/, CLIENTS],
    logLevel: 'warn',
    plugins: [latePackages(), ownPiscinaWorker(), noteLicenses()],
  })
  await bundle.write({
    dir: join(root, 'dist/src', folder),
    format: 'esm',
    chunkFileNames: '[name].js',
    keepNames: true,
    sourcemap: false,
    plugins: [builtinRequire()],
  })
  await bundle.close()
}

/**
 * Bundles a thread's entry, or a package, into one file with all of its imports: a slot reads one file instead of fifty, which saves a
 * quarter of its boot. The format is CommonJS, because Node reads that synchronously. It opens an ES module on a thread of libuv's, and
 * Node 20 never closes the file if the worker ends before it is notified. There, ending a worker while `require` loads an ES module even
 * ends the whole process.
 */
async function bundleFile(input, name) {
  const bundle = await rolldown({
    input,
    platform: 'node',
    // Piscina's worker needs @napi-rs/nice only if a priority is set.
    external: /^(node:|@napi-rs\/nice$)/,
    logLevel: 'warn',
    plugins: [noteLicenses()],
  })
  // Bundled modules were strict, so the bundle must be.
  await bundle.write({
    file: join(root, 'dist', name),
    format: 'cjs',
    banner: "'use strict'",
    sourcemap: false,
  })
  await bundle.close()
}

/**
 * Moves what modules load by `createRequire` when they first need it into files of their own, which the library lists. Inside the bundle,
 * Node would have to parse it at every start.
 */
function latePackages() {
  const files = JSON.stringify(join(root, 'dist/src/install/files.js'))
  return {
    name: 'late-packages',
    transform(code) {
      if (!code.includes('createRequire(import.meta.url)(')) return null
      let result = code.replaceAll(/createRequire\(import\.meta\.url\)\('([^']+)'\)/g, (call, path) =>
        LATE_PACKAGES[path] === undefined ? call : `loadFile('${LATE_PACKAGES[path]}')`,
      )
      // Loads the program's version.
      result = result.replace(/createRequire\(import\.meta\.url\)\(('[^']+\.json')\)/, 'require($1)')
      return `import { loadFile } from ${files}\n${result}`
    },
  }
}

/** Piscina requires Node's modules. `createRequire(import.meta.url)` would fail if a bundler turns the library into CommonJS. */
function builtinRequire() {
  return {
    name: 'builtin-require',
    renderChunk: (code) =>
      code.replace(/^var __require = .*$/m, 'var __require = (id) => process.getBuiltinModule(id);'),
  }
}

/** Piscina starts a file beside its own code. In the bundle, it starts the file that src/slots/slot-threads.ts names. */
function ownPiscinaWorker() {
  return {
    name: 'own-piscina-worker',
    transform(code, id) {
      if (!id.endsWith(join('piscina', 'dist', 'index.js'))) return null
      const parts = code.split("(0, node_path_1.resolve)(__dirname, 'worker.js')")
      if (parts.length !== 2)
        throw new Error('Piscina starts its worker in another way than scripts/build.mjs expects')
      return parts.join('this.options.workerFile')
    },
  }
}

function noteLicenses() {
  return {
    name: 'note-licenses',
    moduleParsed({ id }) {
      const found = /^(.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+)[\\/]/.exec(id)
      if (found) bundled.add(found[1])
    },
  }
}
