// Writes dist/workers/stdlib.zip: Python's standard library as Pyodide ships it, plus the modules of workers/stdlib/, which Pyodide leaves
// out or changes for browsers. All modules are compiled beside their source, so that a session reads a module that is not in the image
// instead of compiling it. CPython itself compiles them, in WebAssembly, so that the same Pyodide gives the same bytes everywhere.
// Compiling takes seconds, so the last result is kept.
import { createHash } from 'node:crypto'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readPyodidePackage } from '../dist/workers/builder/pyodide-package.js'
import { Python } from '../dist/workers/builder/python.js'
import { bootStockInterpreter } from '../dist/workers/builder/realm.js'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const target = process.argv[2] ?? join(root, 'dist/workers/stdlib.zip')
const SOURCE = '/lib/python314.zip'
const ADDED = '/tmp/added/'
const RESULT = '/tmp/stdlib.zip'

// Unchecked hashes: the source never changes, and checking would mean reading it.
const COMPILE = `
import importlib._bootstrap_external as external, importlib.util, os, warnings, zipfile
warnings.simplefilter('ignore')
def add(archive, name, data):
    info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    info.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(info, data)
with zipfile.ZipFile('${SOURCE}') as source, zipfile.ZipFile('${RESULT}', 'w') as result:
    files = {info.filename: source.read(info) for info in source.infolist()}
    for directory, _, names in os.walk('${ADDED}'):
        for name in names:
            path = os.path.join(directory, name)
            with open(path, 'rb') as file:
                files[path.removeprefix('${ADDED}')] = file.read()
    for name, data in sorted(files.items()):
        add(result, name, data)
        if name.endswith('.py'):
            code = compile(data, '${SOURCE}/' + name, 'exec', dont_inherit=True, optimize=0)
            add(result, name + 'c', external._code_to_hash_pyc(code, importlib.util.source_hash(data), False))
`

const directory = join(root, 'workers/stdlib')
const added = readdirSync(directory, { recursive: true })
  .filter((name) => name.endsWith('.py'))
  .map((name) => ({ name: name.replaceAll('\\', '/'), bytes: readFileSync(join(directory, name)) }))
  .sort((a, b) => (a.name < b.name ? -1 : 1))
const { resolve } = createRequire(import.meta.url)
const pyodide = await readPyodidePackage({
  manifest: resolve('pyodide/package.json'),
  script: resolve('pyodide/pyodide.asm.mjs'),
  wasm: resolve('pyodide/pyodide.asm.wasm'),
  standardLibrary: resolve('pyodide/python_stdlib.zip'),
})
const hash = createHash('sha256').update(COMPILE).update(pyodide.standardLibrary).update(pyodide.wasm)
for (const { name, bytes } of added) hash.update(`\n${name} ${bytes.length}\n`).update(bytes)
const key = hash.digest('hex')
const kept = join(root, 'node_modules/.cache/brumate', `stdlib-${key.slice(0, 32)}.zip`)
if (!existsSync(kept)) {
  mkdirSync(dirname(kept), { recursive: true })
  writeFileSync(`${kept}.${process.pid}`, await compiled())
  renameSync(`${kept}.${process.pid}`, kept)
}
const bytes = readFileSync(kept)
writeFileSync(target, bytes)
// CPython's license requires a copy in every distribution.
copyFileSync(join(root, 'workers/stdlib-license.txt'), join(root, 'dist/workers/stdlib-license.txt'))
// For the key of the image, because hashing the archive itself at every start would take longer.
writeFileSync(`${target}.sha256`, `${createHash('sha256').update(bytes).digest('hex')}\n`)

async function compiled() {
  const stock = await bootStockInterpreter({
    pyodide,
    env: { HOME: '/home', LANG: 'C.UTF-8', PYTHONHASHSEED: '0' },
    program: '/bin/python3',
    prepareFiles: (files) => {
      files.mkdirTree('/lib')
      files.writeFile(SOURCE, pyodide.standardLibrary)
      for (const { name, bytes } of added) {
        files.mkdirTree(dirname(`${ADDED}${name}`))
        files.writeFile(`${ADDED}${name}`, bytes)
      }
    },
  })
  new Python(stock).run(COMPILE)
  return stock.files.readFile(RESULT)
}
