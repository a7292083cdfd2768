// ATTACKS.md A, attacker level L1: processes, files, descriptors, network and facts of the host that plain Pyodide does not
// give either, so that there is no control: what shows here is that our own host does not give them back.
import { homedir, hostname } from 'node:os'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { py } from '../support/session-code.js'
import { Child } from './support/child.js'
import {
  expectContained,
  type SandboxCase,
  type SandboxOutput,
  type StepResult,
} from './support/contained.js'
import { READ_ALL_MEMORY } from './support/forged-memory.js'
import { Witness } from './support/witness.js'

let witness: Witness
let sandbox: Child<SandboxCase, SandboxOutput>

beforeAll(async () => {
  witness = await Witness.open()
  sandbox = new Child('sandbox', { canary: witness.canary })
})

afterAll(async () => {
  await sandbox?.close()
  witness?.close()
})

async function attack(code: string): Promise<StepResult> {
  const [step] = expectContained(await sandbox.run({ steps: [code] }), witness)
  if (step === undefined) throw new Error('nothing ran')
  return step
}

describe('A3: there are no processes', () => {
  it.each([
    ['os.popen', 'os.popen("echo")'],
    ['subprocess', 'import subprocess; subprocess.run(["echo"])'],
    ['os.fork', 'os.fork()'],
    ['os.execv', 'os.execv("/bin/sh", ["sh"])'],
    ['os.posix_spawn', 'os.posix_spawn("/bin/sh", ["sh"], {})'],
    ['os.spawnv', 'os.spawnv(os.P_WAIT, "/bin/sh", ["sh"])'],
    ['multiprocessing', 'import multiprocessing; multiprocessing.Process(target=print).start()'],
    ['_posixsubprocess', 'import _posixsubprocess; _posixsubprocess.fork_exec()'],
  ])('A3: %s raises', async (_, code) => {
    const { kind, type } = await attack(`import os\n${code}`)
    expect(kind).toBe('error')
    expect(['OSError', 'AttributeError', 'ModuleNotFoundError', 'TypeError']).toContain(type)
  })

  it.each([
    ['the parent', 'os.getppid()'],
    ['process 1', '1'],
    ['a neighbour', 'os.getpid() + 1'],
    ['the group', '0'],
    ['everybody', '-1'],
  ])('A3: a signal for %s reaches nobody', async (_, pid) => {
    const { kind, code } = await attack(`import os\nos.kill(${pid}, 9)`)
    // Signal 9 for itself is the interpreter's own end, and nobody else's.
    if (kind === 'error') expect(['PYTHON', 'INTERPRETER_CRASHED']).toContain(code)
  })

  it('A3: a thread is refused', async () => {
    expect(await attack('import _thread\n_thread.start_new_thread(print, ())')).toMatchObject({
      type: 'RuntimeError',
    })
  })
})

describe('A16: there is no network', () => {
  it.each([
    ['socket.create_connection', 'socket.create_connection(("127.0.0.1", PORT), 1)'],
    ['a raw socket', 'socket.socket(socket.AF_INET, socket.SOCK_RAW)'],
    ['a Unix socket', 'socket.socket(socket.AF_UNIX).connect("/var/run/docker.sock")'],
    ['socket.socketpair', 'socket.socketpair()'],
    ['socket from a descriptor', 'socket.socket(fileno=0).connect(("127.0.0.1", PORT))'],
    ['listening', 'socket.create_server(("127.0.0.1", 0))'],
    ['a name', 'socket.getaddrinfo("localhost", PORT)'],
    ['http.client', 'import http.client; http.client.HTTPConnection("127.0.0.1", PORT).request("GET", "/")'],
    ['the metadata service', 'import urllib.request; urllib.request.urlopen("http://169.254.169.254/")'],
    ['file URLs', 'import urllib.request; urllib.request.urlopen("file:///etc/passwd").read()'],
  ])('A16: %s raises before anything is sent', async (_, code) => {
    const { connections } = witness
    const step = await attack(`import socket\nPORT = ${witness.port}\n${code}`)
    expect(step).toMatchObject({ kind: 'error', code: 'PYTHON' })
    expect(witness.connections).toBe(connections)
  })
})

describe('A22: there are no files of the host', () => {
  it.each([
    ['an absolute path', 'open(SECRET).read()'],
    ['a path that climbs', 'open("../" * 40 + SECRET[1:]).read()'],
    ['a symbolic link', 'os.symlink(SECRET, "/tmp/link"); open("/tmp/link").read()'],
    ['a link to the root', 'os.symlink("/..", "/tmp/up"); open("/tmp/up" + SECRET).read()'],
    ['/proc/self/root', 'open("/proc/self/root" + SECRET).read()'],
    ['/proc/self/environ', 'open("/proc/self/environ").read()'],
    ['/dev/fd', '[open(f"/dev/fd/{fd}").read() for fd in range(3, 40)]'],
    [
      'sqlite3',
      'import sqlite3; sqlite3.connect(f"file:{SECRET}?mode=ro", uri=True).execute("select 1 from x")',
    ],
    ['a zip archive', 'import zipimport; zipimport.zipimporter(SECRET)'],
    ['a password database', 'import pwd; pwd.getpwuid(0)'],
  ])('A22: %s does not lead there', async (_, code) => {
    const step = await attack(`import os\nSECRET = ${JSON.stringify(witness.secretPath)}\n${code}`)
    expect(step).toMatchObject({ kind: 'error', code: 'PYTHON' })
  })

  it.each([
    ['open', 'open(MARKER, "w").close()'],
    ['os.mkdir', 'os.mkdir(MARKER)'],
    ['sqlite3', 'import sqlite3; sqlite3.connect(MARKER).execute("create table x(y)")'],
    ['ATTACH', 'import sqlite3; sqlite3.connect(":memory:").execute("attach ? as x", (MARKER,))'],
    ['os.rename', 'open("/tmp/mine", "w").close(); os.rename("/tmp/mine", MARKER)'],
    ['a log file', 'import logging; logging.FileHandler(MARKER).emit'],
  ])('A22: %s makes files in the session only', async (name, code) => {
    const marker = `made-${name}`
    await attack(py`
      import os
      MARKER = '${witness.marker(marker)}'
      os.makedirs(os.path.dirname(MARKER), exist_ok=True)
      ${code}
    `)
    expect(witness.marked(marker)).toBe(false)
  })

  it('A22: descriptors 0 to 2 are open, no others, and none is a terminal', async () => {
    const { repr } = await attack(py`
      import os
      def kind(fd):
          try:
              os.fstat(fd)
              return os.isatty(fd)
          except OSError:
              return None
      [(fd, kind(fd)) for fd in range(2048) if kind(fd) is not None]
    `)
    expect(repr).toBe('[(0, False), (1, False), (2, False)]')
  })

  it('A22: the tree holds what the image put there, and no /proc, /etc or /sys', async () => {
    const { repr } = await attack('import os\nsorted(os.listdir("/"))')
    expect(repr).toBe("['dev', 'home', 'lib', 'tmp']")
  })
})

describe('A18: no code is loaded but Python', () => {
  it.each([
    [
      'an extension module',
      'import _imp; _imp.create_dynamic(ModuleSpec("library", None, origin="/tmp/library.so"))',
    ],
    ['an import', 'sys.path.insert(0, "/tmp"); import library'],
    [
      'sqlite3 extensions',
      'import sqlite3; sqlite3.connect(":memory:").execute("select load_extension(\'/tmp/library\')")',
    ],
  ])('A18: %s raises', async (_, code) => {
    const step = await attack(py`
      import sys
      from importlib.machinery import EXTENSION_SUFFIXES, ModuleSpec
      for suffix in (*EXTENSION_SUFFIXES, '.so'):
          with open('/tmp/library' + suffix, 'wb') as file:
              file.write(b'\0asm\1\0\0\0')
      ${code}
    `)
    expect(step).toMatchObject({ kind: 'error', code: 'PYTHON' })
  })
})

describe('A20: the host is anonymous', () => {
  it('A20: a session’s environment is its options, and nothing of the process it runs in', async () => {
    const result = await sandbox.run({ steps: ['import os; sorted(os.environ)'], env: { MINE: 'yes' } })
    const [step] = expectContained(result, witness)
    expect(step?.repr).toBe("['HOME', 'LANG', 'MINE', 'PATH', 'USER']")
  })

  it('A20: names and numbers of the process are Emscripten’s, the same everywhere', async () => {
    const { repr } = await attack(py`
      import os, platform, socket
      [platform.node(), socket.gethostname(), os.uname().nodename, os.getpid(), os.getppid(), os.getuid()]
    `)
    expect(repr).toBe("['emscripten', 'emscripten', 'emscripten', 42, 1, 0]")
  })

  it('H15: no secret, path or name of this machine lies anywhere in the interpreter’s memory', async () => {
    const names = [process.cwd(), homedir(), hostname()].filter((name) => name.length > 7)
    const secrets = ['BRUMATE_CANARY', witness.canary, 'node_modules', ...names]
    // Written letter by letter, so that the search does not find itself.
    const patterns = ['RecursionError', ...secrets].map((text) =>
      text.replace(/./g, (letter) => `[${letter}]`),
    )
    const step = await attack(
      [
        READ_ALL_MEMORY,
        'import re',
        `patterns = ${JSON.stringify(patterns)}`,
        'parts = [bytes(memory[at : at + 2**20 + 200]) for at in range(0, SIZE, 2**20)]',
        '[each for each in patterns if any(map(re.compile(each.encode()).search, parts))]',
      ].join('\n'),
    )
    expect(step).toMatchObject({ repr: `['${patterns[0]}']` })
  })
})
