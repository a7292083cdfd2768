// Runs the examples that its parent sends, one after the other, each as a module of its own. One process for all of them compiles the
// interpreter once. It ends by itself once the parent disconnects, unless an example left something behind that keeps a process alive.
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { SourceTextModule, SyntheticModule } from 'node:vm'

const folder = process.cwd()

/** What the current example has written, by stream. */
const written = { stdout: '', stderr: '' }
for (const name of ['stdout', 'stderr'])
  process[name].write = (chunk) => {
    written[name] += chunk
    return true
  }

process.on('message', async ({ name, code }) => {
  written.stdout = ''
  written.stderr = ''
  // Examples use the same names of files and stores.
  process.chdir(mkdtempSync(join(folder, 'example-')))
  const failure = await run(name, code).then(
    () => undefined,
    (error) => String(error?.stack ?? error),
  )
  // Warnings and unhandled errors of this example, which must not be taken for the next one's, come first.
  await setImmediate()
  process.send({ ...written, failure })
})

async function run(name, code) {
  const module = new SourceTextModule(code, { identifier: name, importModuleDynamically: (id) => import(id) })
  // Resolved from this file, so that the package's own name leads to the build, whatever the working directory.
  await module.link(async (specifier) => {
    const imported = await import(specifier)
    const names = Object.keys(imported)
    return new SyntheticModule(names, function () {
      for (const each of names) this.setExport(each, imported[each])
    })
  })
  await module.evaluate()
}
