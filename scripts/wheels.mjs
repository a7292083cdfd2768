// Downloads real wheels for tests into a folder, and prints the folder's name: `BRUMATE_WHEELS=$(node scripts/wheels.mjs) npm test`.
// Uses pip for the wheels in test/packages/wheels.txt, with their hashes, from whichever index pip is configured for. If that fails, prints
// why and exits with 1. Owns neither the wheels nor a place on the web: they are only for tests, and part of no commit and no release.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const list = join(root, 'test/packages/wheels.txt')
const folder = resolve(process.argv[2] ?? join(root, 'node_modules/.cache/brumate/test-wheels'))
const TIME_MS = 60_000
/** The platform of Pyodide's wheels, independent of the interpreter on this machine. */
const PIP = [
  ...['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--no-deps', '--require-hashes'],
  ...['--only-binary=:all:', '--python-version=3.12', '--platform=manylinux_2_28_x86_64'],
  ...['--retries=1', '--timeout=20'],
]
/** Pyodide's own wheels are inside another program's wheel; the tests of numpy and pandas, in the wheels for Linux. */
const UNPACK = `
import os, sys, zipfile
source, target = sys.argv[1:]
for name in os.listdir(source):
    path = os.path.join(source, name)
    bundle = name.startswith('open_webui-')
    if not bundle and not name.startswith(('numpy-', 'pandas-')):
        os.rename(path, os.path.join(target, name))
        continue
    with zipfile.ZipFile(path) as wheel:
        for entry in wheel.namelist():
            if bundle and '/pyodide/' in entry and entry.endswith(('.whl', '-lock.json')):
                at = os.path.join(target, os.path.basename(entry))
            elif not bundle and entry.endswith('.py') and ('/tests/' in entry or entry.endswith('/conftest.py')):
                at = os.path.join(target, 'tests', *entry.split('/'))
            else:
                continue
            os.makedirs(os.path.dirname(at), exist_ok=True)
            with open(at, 'wb') as file: file.write(wheel.read(entry))
`

const wanted = readFileSync(list, 'utf8')
const mark = join(folder, '.complete')
if (!existsSync(mark) || readFileSync(mark, 'utf8') !== wanted) {
  const parent = dirname(folder)
  mkdirSync(parent, { recursive: true })
  const temporary = mkdtempSync(join(parent, 'wheels-'))
  try {
    const [downloads, unpacked] = ['downloads', 'unpacked'].map((name) => join(temporary, name))
    mkdirSync(unpacked)
    python([...PIP, '--dest', downloads, '--requirement', list])
    python(['-c', UNPACK, downloads, unpacked])
    writeFileSync(join(unpacked, '.complete'), wanted)
    rmSync(folder, { recursive: true, force: true })
    renameSync(unpacked, folder)
  } catch (error) {
    console.error(`no wheels for tests: ${error.message}`)
    process.exitCode = 1
  } finally {
    rmSync(temporary, { recursive: true, force: true })
  }
}
if (!process.exitCode) console.log(folder)

function python(args) {
  const name = process.platform === 'win32' ? 'python' : 'python3'
  const { error, status, signal, stderr } = spawnSync(name, args, {
    ...{ encoding: 'utf8', timeout: TIME_MS, killSignal: 'SIGKILL', stdio: ['ignore', 'ignore', 'pipe'] },
  })
  if (error?.code === 'ENOENT') throw new Error(`there is no ${name}, so there is no pip`)
  if (error?.code === 'ETIMEDOUT') throw new Error(`pip took more than ${TIME_MS / 1000} s`)
  if (error) throw error
  if (status !== 0) throw new Error(`pip failed (${signal ?? status}): ${stderr.trim().slice(-2000)}`)
}
