// Compiles src/ and workers/ into dist/ and puts the kernel's Python files, the time zones and the standard library beside them.
// Needs Node and npm's packages only.
import { spawnSync } from 'node:child_process'
import { cpSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, isAbsolute, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')

rmSync(join(root, 'dist'), { recursive: true, force: true })
const compiled = spawnSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.json')], { stdio: 'inherit' })
if (compiled.status !== 0) process.exit(compiled.status ?? 1)
cpSync(join(root, 'workers/kernel'), join(root, 'dist/workers/kernel'), {
  recursive: true,
  filter: (path) => !path.endsWith('__pycache__') && !path.endsWith('.pyc'),
})
await import('./zoneinfo.mjs')
await import('./stdlib.mjs')
await bundleLibrary()
await bundleThread('slot')
await bundleThread('storage')

/**
 * Puts the library into one file, and what it loads later into one each: to load a hundred modules takes Node 50 ms longer. The modules
 * stay for the builder and for tests. Paths relative to a module hold in the bundle, too, because it is as deep as they are; a user's
 * `import` goes through `index.js`, whose types stay where they are.
 */
async function bundleLibrary() {
  // The modules' own entry, for builds of tests that change a module.
  renameSync(join(root, 'dist/src/index.js'), join(root, 'dist/src/modules.js'))
  const bundle = await rolldown({
    input: { index: join(root, 'dist/src/modules.js') },
    platform: 'node',
    // Everything that is not a file of ours.
    external: (id) => !/^(\.|\/)/.test(id) && !isAbsolute(id),
    logLevel: 'warn',
  })
  await bundle.write({ dir: join(root, 'dist/src/bundle'), format: 'esm', keepNames: true, sourcemap: false })
  await bundle.close()
  writeFileSync(join(root, 'dist/src/index.js'), "export * from './bundle/index.js'\n")
  rmSync(join(root, 'dist/src/index.js.map'))
}

/**
 * A thread's entry with all it imports in one file: a slot reads one file instead of fifty, which is a quarter of its boot.
 * A CommonJS file, because Node reads that at one stroke: it opens an ES module on a thread of libuv's, and Node 20 never closes the
 * file if the worker ends before it hears of that. Ending a worker inside the load of an ES module by `require` even takes the
 * process with it there.
 */
async function bundleThread(name) {
  const bundle = await rolldown({
    input: join(root, `dist/workers/${name}.js`),
    platform: 'node',
    external: /^node:/,
    logLevel: 'warn',
  })
  const file = join(root, `dist/workers/${name}.bundle.cjs`)
  // Modules are strict by themselves.
  await bundle.write({ file, format: 'cjs', banner: "'use strict'", sourcemap: false })
  await bundle.close()
}
