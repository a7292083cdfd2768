// Makes an image: boots the stock interpreter, brings it to the point where a session attaches, and records it. Owns the order of those
// steps; each has a file of its own.
import { readFile } from 'node:fs/promises'
import type { ImageContents } from '../../src/shared/image/format.js'
import type { StandardBuilderData } from '../../src/shared/messages/builder.js'
import { ZONE_NAME_BYTES } from '../host/abi.js'
import { findLandmarks, wipeDeadMemory } from '../interpreter/dead-memory.js'
import { INTERPRETER_EXPORTS } from '../interpreter/exports.js'
import { KernelLink, Opcode } from '../interpreter/link.js'
import { trampolineModuleBytes } from '../interpreter/trampoline.js'
import { coreModuleBytes, readWasm } from '../interpreter/wasm-binary.js'
import { REMOVED_MODULES, removeBuiltInModules } from './built-in-modules.js'
import {
  HOME,
  imageData,
  KERNEL_PATH,
  placeFiles,
  readSources,
  type SourceFile,
  STANDARD_LIBRARY_PATH,
  TIME_ZONE_PATH,
} from './files.js'
import { recordRuns, wipeFreeMemory } from './memory.js'
import { readPyodidePackage } from './pyodide-package.js'
import { Python } from './python.js'
import { bootStockInterpreter, type StockInterpreter } from './realm.js'
import { limitRecursion, withCountedRecursion } from './recursion.js'
import { trampolineCodes } from './signatures.js'
import { forbidSharedMaps } from './sqlite.js'

/** Environment of Python while it boots; the kernel decides what a session sees. */
const BUILD_ENV = { HOME, LANG: 'C.UTF-8', PYTHONHASHSEED: '0', PYTHON_COLORS: '0' }
/** `sys.executable`. The file does not exist. */
const PROGRAM = '/bin/python3'
const REPORT_PATH = '/tmp/report.json'

/** More strings than a table of 2 ** 15 has room for, but not so many that CPython needs one of 2 ** 17. */
const MANY_STRINGS = 22_000

const PREPARE = `
import os, sys
if '' not in sys.path:
    sys.path.insert(0, '')
sys.path += [${JSON.stringify(KERNEL_PATH)}, ${JSON.stringify(TIME_ZONE_PATH)}]
sys.builtin_module_names = tuple(n for n in sys.builtin_module_names if n not in ${JSON.stringify(REMOVED_MODULES)})
import importlib
from _brumate.preload import PRELOADED
for name in PRELOADED:
    importlib.import_module(name)
import zoneinfo
zoneinfo.ZoneInfo.no_cache('Europe/Berlin')
import _brumate
_brumate.prepare()
# Makes CPython's table of interned strings as large as workers/interpreter/interned-strings.ts knows it, with room for those of a session.
strings = [sys.intern(f'interned {number}') for number in range(${MANY_STRINGS})]
del strings
`

const REPORT = `
import json, os
# From the C library's environment too: these were for the build, not for a session.
for name in ('PYTHONHASHSEED', 'PYTHON_COLORS'):
    os.environ.pop(name, None)
    os.unsetenv(name)
with open(${JSON.stringify(REPORT_PATH)}, 'w') as report:
    json.dump({'env': dict(os.environ), 'cwd': os.getcwd()}, report)
`

/** Exempts every object from garbage collection, which would otherwise write to all of them in every session. */
export const FREEZE = `
import gc
gc.collect()
gc.freeze()
`

export async function recordImage(options: StandardBuilderData): Promise<ImageContents> {
  const pyodide = await readPyodidePackage(options.pyodide)
  const sources: SourceFile[] = [
    ...(await readSources(options.kernelFile, KERNEL_PATH)),
    { path: STANDARD_LIBRARY_PATH, bytes: await readFile(options.standardLibraryFile) },
    { path: TIME_ZONE_PATH, bytes: await readFile(options.timeZoneFile) },
  ]
  const stock = await bootStockInterpreter({
    pyodide,
    env: BUILD_ENV,
    program: PROGRAM,
    prepareFiles: (files) => placeFiles(files, sources),
  })
  const { exports } = stock
  const python = new Python(stock)
  removeBuiltInModules(stock)
  forbidSharedMaps(stock)
  python.run(PREPARE)
  python.run(REPORT)
  const { env, cwd } = takeReport(stock)
  const dispatch = python.attribute('_brumate.link', 'dispatch')
  warm(new KernelLink(exports, dispatch))
  python.run(FREEZE)

  const wasm = readWasm(pyodide.wasm)
  const codes = trampolineCodes(wasm.tableSignatures)
  const codesAddress = exports.malloc(codes.length) >>> 0
  new Uint8Array(exports.memory.buffer).set(codes, codesAddress)
  wipeFreeMemory(stock)
  requireNoOpenFiles(stock)

  const memory = new Uint8Array(exports.memory.buffer).slice()
  const stackPointer = exports.__stack_pointer.value >>> 0
  const tableLength = wasm.tableSignatures.length
  const landmarks = findLandmarks(memory, exports.__stack_low.value >>> 0)
  if (Object.values(landmarks).includes(0))
    throw new Error(`not all landmarks were found in memory: ${JSON.stringify(landmarks)}`)
  wipeDeadMemory(memory, landmarks, stackPointer)
  writeSettings(memory, stock, tableLength)
  limitRecursion(memory, exports)
  const { runs, runBytes } = recordRuns(memory)
  return {
    pyodideVersion: pyodide.version,
    pythonVersion: pythonVersion(memory, exports.Py_Version.value >>> 0),
    moduleBytes: coreModuleBytes(withCountedRecursion(pyodide.wasm), INTERPRETER_EXPORTS),
    trampolineBytes: trampolineModuleBytes(codesAddress, tableLength),
    memoryBytes: memory.length,
    runs,
    ...imageData(runBytes, sources, cwd),
    tableLength,
    stackPointer,
    dispatch,
    landmarks,
    packages: [],
    native: null,
    env,
    cwd,
  }
}

/** Reads the environment and working directory as the kernel left them. */
function takeReport({ files }: StockInterpreter): { env: Record<string, string>; cwd: string } {
  const report = JSON.parse(new TextDecoder().decode(files.readFile(REPORT_PATH)))
  files.unlink(REPORT_PATH)
  if (report.cwd !== HOME || report.env.HOME !== HOME)
    throw new Error(`the kernel left an unexpected working directory or HOME: ${JSON.stringify(report)}`)
  return report
}

/** Runs what every session runs first, so that the image contains the caches that CPython fills on first use. */
export function warm(link: KernelLink): void {
  const execute = (code: string) => {
    const head = new Uint8Array(5)
    head[0] = 1
    const { kind } = link.call(Opcode.execute, head, new TextEncoder().encode(code))
    if (kind !== 'done') throw new Error(`the kernel did not finish ${JSON.stringify(code)}`)
  }
  for (let round = 0; round < 3; round++) {
    execute('x = 1')
    execute('x')
    execute('print(end="")')
    execute('1 / 0')
    execute('import asyncio\nawait asyncio.sleep(0)')
    link.call(Opcode.clear)
  }
}

/** Checks that only the standard streams are open, because the image does not contain state that JavaScript holds. */
function requireNoOpenFiles({ files }: StockInterpreter): void {
  const open = files.streams.flatMap((stream, fd) => (stream && fd > 2 ? [fd] : []))
  if (open.length > 0) throw new Error(`file descriptors ${open.join(', ')} are open at the end of the build`)
}

/** Changes settings in the recorded memory only: the stock interpreter would not survive them. */
function writeSettings(memory: Uint8Array, { exports }: StockInterpreter, trampoline: number): void {
  const view = new DataView(memory.buffer)
  const offset = view.getUint32(exports._PyEM_EMSCRIPTEN_TRAMPOLINE_OFFSET.value >>> 0, true)
  const pointer = (exports._PyRuntime.value >>> 0) + offset
  if (view.getUint32(pointer, true) !== 0) throw new Error('Pyodide installed its own trampoline')
  view.setUint32(pointer, trampoline, true)
  // The names are those of the build machine's time zone. The host writes a session's.
  const names = exports.tzname.value >>> 0
  for (const at of [view.getUint32(names, true), view.getUint32(names + 4, true)])
    memory.fill(0, at, at + ZONE_NAME_BYTES).set(new TextEncoder().encode('UTC'), at)
  // CPython polls for signals only if this is set.
  view.setUint32(exports.Py_EMSCRIPTEN_SIGNAL_HANDLING.value >>> 0, 1, true)
}

/** Reads the version from `Py_Version`, CPython's PY_VERSION_HEX. */
function pythonVersion(memory: Uint8Array, address: number): string {
  const hex = new DataView(memory.buffer).getUint32(address, true)
  return [hex >>> 24, (hex >>> 16) & 0xff, (hex >>> 8) & 0xff].join('.')
}
