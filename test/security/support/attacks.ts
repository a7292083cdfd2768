// Ways from Python to the host that work in plain Pyodide (ATTACKS.md A). Owns the code of each and what shows that it got
// out; who runs it, and what must have come of it, is the test's.
import { py } from '../../support/session-code.js'
import type { Witness } from './witness.js'

/** What a success leaves behind. */
export type Evidence =
  /** The file `marker(name)`, made by a process or by Node's fs. */
  | 'marker'
  /** The witness's secret, or a path of this machine, in what the code is told. */
  | 'leak'
  /** A connection to the witness's server. */
  | 'connection'
  /** The code says "reached". */
  | 'reached'

export interface Attack {
  readonly id: string
  /** What does not happen in a session. */
  readonly claim: string
  readonly evidence: Evidence
  readonly code: (place: Place) => string
}

export interface Place {
  readonly marker: string
  readonly directory: string
  readonly secretPath: string
  readonly port: number
}

/** Where an attack is made: two runs of it must not take each other's mark for their own. */
export function placeOf(witness: Witness, run: string): Place {
  const { directory, secretPath, port } = witness
  return { marker: witness.marker(run), directory, secretPath, port }
}

/** Whether the attack got out, by what it was told and what it left. */
export function escaped(
  witness: Witness,
  evidence: Evidence,
  run: string,
  connections: number,
  told: string,
) {
  switch (evidence) {
    case 'marker':
      return witness.marked(run)
    case 'leak':
      return witness.leaksOf(told).length > 0
    case 'connection':
      return witness.connections > connections
    case 'reached':
      return told.includes('reached')
  }
}

const environment = 'process.env.BRUMATE_CANARY'
const writeMarker = (marker: string) => `process.getBuiltinModule('fs').writeFileSync('${marker}', '')`

/**
 * Takes away every patch of Python's own that stands in the way and makes the compiled-in modules again: no control may
 * rest on what Python code can undo (A8, A9).
 */
export const UNDO_PATCHES = py`
  import _imp, importlib.machinery, sys
  sys.meta_path[:] = [finder for finder in sys.meta_path if 'brumate' not in repr(finder)]
  for _name in ('_ctypes', '_pyodide_core', 'js', 'pyodide_js', '_pyodide'):
      sys.modules.pop(_name, None)
      _module = _imp.create_builtin(importlib.machinery.ModuleSpec(_name, importlib.machinery.BuiltinImporter))
      if _module is not None:
          sys.modules[_name] = _module
          try:
              _imp.exec_builtin(_module)
          except BaseException:
              pass
`

export const ATTACKS: readonly Attack[] = [
  {
    id: 'A1',
    claim: 'os.system runs nothing',
    evidence: 'marker',
    code: ({ marker }) => py`
      import os
      os.system('echo > ${marker}')
    `,
  },
  {
    id: 'A2',
    claim: 'libc system is not to be had through ctypes',
    evidence: 'marker',
    code: ({ marker }) => py`
      import ctypes
      ctypes.CDLL(None).system(b'echo > ${marker}')
    `,
  },
  {
    id: 'A2',
    claim: 'libc system is not to be had through the module below ctypes',
    evidence: 'marker',
    code: ({ marker }) => py`
      import _ctypes
      _ctypes.call_cdeclfunction(_ctypes.dlsym(_ctypes.dlopen(None, 0), 'system'), (b'echo > ${marker}',))
    `,
  },
  {
    id: 'A4',
    claim: 'emscripten_run_script evaluates nothing through ctypes',
    evidence: 'marker',
    code: ({ marker }) => py`
      import ctypes
      ctypes.CDLL(None).emscripten_run_script(b"${writeMarker(marker)}")
    `,
  },
  {
    id: 'A4',
    claim: 'emscripten_run_script evaluates nothing through the module below ctypes',
    evidence: 'marker',
    code: ({ marker }) => py`
      import _ctypes
      run = _ctypes.dlsym(_ctypes.dlopen(None, 0), 'emscripten_run_script')
      _ctypes.call_cdeclfunction(run, (b"${writeMarker(marker)}",))
    `,
  },
  {
    id: 'A5',
    claim: 'there is no module js with a process in it',
    evidence: 'leak',
    code: () => py`
      import js
      js.${environment}
    `,
  },
  {
    id: 'A5',
    claim: 'there is no module js with the globals of main in it',
    evidence: 'leak',
    code: () => py`
      import js
      js.canary
    `,
  },
  {
    id: 'A6',
    claim: 'run_js evaluates nothing',
    evidence: 'leak',
    code: () => py`
      from pyodide.code import run_js
      run_js('${environment}')
    `,
  },
  {
    id: 'A7',
    claim: 'no object has a constructor that leads to Function',
    evidence: 'leak',
    code: () => py`
      from js import JSON
      JSON.stringify.constructor.constructor('return ${environment}')()
    `,
  },
  {
    id: 'A9',
    claim: 'no finder keeps what was taken out of sys.modules',
    evidence: 'leak',
    code: () => py`
      import sys
      for name in ('js', 'pyodide_js'):
          sys.modules.pop(name, None)
      [finder.jsproxies['js'].${environment} for finder in sys.meta_path if hasattr(finder, 'jsproxies')]
    `,
  },
  {
    id: 'A9',
    claim: 'the garbage collector knows no JavaScript object',
    evidence: 'reached',
    code: () => py`
      import gc
      gc.unfreeze()
      ['reached' for each in gc.get_objects() if 'JsProxy' in type(each).__name__]
    `,
  },
  {
    id: 'A11',
    claim: 'mountNodeFS mounts no directory of the host',
    evidence: 'leak',
    code: ({ directory }) => py`
      import pyodide_js
      pyodide_js.mountNodeFS('/host', '${directory}')
      open('/host/secret.txt').read()
    `,
  },
  {
    id: 'A11',
    claim: 'FS.mount mounts no directory of the host',
    evidence: 'leak',
    code: ({ directory }) => py`
      import js, os, pyodide_js
      os.makedirs('/mounted', exist_ok=True)
      root = js.Object.fromEntries([['root', '${directory}']])
      pyodide_js.FS.mount(pyodide_js.FS.filesystems.NODEFS, root, '/mounted')
      open('/mounted/secret.txt').read()
    `,
  },
  {
    id: 'A12',
    claim: 'no other file system of Emscripten is there',
    evidence: 'reached',
    code: () => py`
      import pyodide_js
      ['reached' for name in ('WORKERFS', 'PROXYFS', 'IDBFS') if hasattr(pyodide_js.FS.filesystems, name)]
    `,
  },
  {
    id: 'A14',
    claim: 'Pyodide’s sockets for Node are not there',
    evidence: 'reached',
    code: () => py`
      import pyodide_js
      'reached' if pyodide_js._api.initializeNodeSockFS else ''
    `,
  },
  {
    id: 'A15',
    claim: 'a socket connects to nothing',
    evidence: 'connection',
    code: ({ port }) => py`
      import asyncio, socket
      connection = socket.socket()
      connection.setblocking(False)
      connection.connect_ex(('127.0.0.1', ${port}))
      await asyncio.sleep(0.3)
    `,
  },
  {
    id: 'A16',
    claim: 'fetch calls nobody',
    evidence: 'connection',
    code: ({ port }) => py`
      from pyodide.http import pyfetch
      await pyfetch('http://127.0.0.1:${port}/')
    `,
  },
  {
    id: 'A16',
    claim: 'urllib calls nobody',
    evidence: 'connection',
    code: ({ port }) => py`
      import urllib.request
      urllib.request.urlopen('http://127.0.0.1:${port}/').read()
    `,
  },
  {
    id: 'A18',
    claim: 'no side module is loaded, so no text in one is evaluated',
    evidence: 'marker',
    code: ({ marker }) => sideModule(marker),
  },
  {
    id: 'A19',
    claim: 'C code is given no function of Python’s to call',
    evidence: 'reached',
    code: () => py`
      import ctypes
      ctypes.CFUNCTYPE(ctypes.py_object)(lambda: 'reached')()
    `,
  },
  {
    id: 'A20',
    claim: 'environment and arguments name no place of the host',
    evidence: 'leak',
    code: () => py`
      import os, sys
      [dict(os.environ), sys.argv, sys.orig_argv, sys.executable, sys.path, os.getcwd(), __name__, str(os.uname())]
    `,
  },
  {
    id: 'A21',
    claim: 'no error tells where the host’s JavaScript lies',
    evidence: 'leak',
    code: () => py`
      import js
      try:
          js.eval('throw new Error()')
      except Exception as error:
          shown = error.stack
      shown
    `,
  },
  {
    id: 'A22',
    claim: 'descriptor 0 is not the host’s',
    evidence: 'leak',
    code: () => py`
      import sys
      sys.stdin.readline()
    `,
  },
]

/**
 * A library without code whose export `__em_js__attack` points at text: Emscripten's loader evaluates that. Its one global
 * holds the address of a string of ours.
 */
function sideModule(marker: string): string {
  return py`
    import ctypes
    def unsigned(number):
        out = b''
        while number > 127:
            out += bytes([number & 127 | 128])
            number >>= 7
        return out + bytes([number])
    def signed(number):
        out = b''
        while not -64 <= number < 64:
            out += bytes([number & 127 | 128])
            number >>= 7
        return out + bytes([number & 127])
    def section(kind, content):
        return bytes([kind]) + unsigned(len(content)) + content
    def named(text):
        return unsigned(len(text)) + text
    text = ctypes.create_string_buffer(b"(void)<::>{}, ${writeMarker(marker)}")
    library = b'\0asm\1\0\0\0' + section(0, named(b'dylink.0') + b'\1\4\0\0\0\0')
    library += section(6, b'\1\x7f\0\x41' + signed(ctypes.addressof(text)) + b'\x0b')
    library += section(7, b'\1' + named(b'__em_js__attack') + b'\3\0')
    with open('/tmp/library.so', 'wb') as file:
        file.write(library)
    ctypes.CDLL('/tmp/library.so')
  `
}
