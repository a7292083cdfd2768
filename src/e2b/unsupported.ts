// Features of a virtual machine that a Python session cannot have. Owns what the errors suggest instead.
import { NotSupportedError } from './errors.js'

const PYTHON = /^\s*(?:cd\s+\S+\s*&&\s*)?python[\d.]*\b/
const INSTALL = /\bpip[\d.]*\s+install\b/

/** `sandbox.commands`: there is no shell. */
export class Commands {
  /** @throws NotSupportedError, with what to do instead of the command */
  run(cmd: string, _opts?: unknown): Promise<never> {
    return refuse(`commands.run: ${remedyFor(String(cmd))}`)
  }

  /** There are never any processes. */
  async list(_opts?: unknown): Promise<never[]> {
    return []
  }

  connect(_pid: number, _opts?: unknown): Promise<never> {
    return refuse('commands.connect: a Python session has no processes')
  }

  sendStdin(_pid: number, _data: unknown, _opts?: unknown): Promise<never> {
    return refuse('commands.sendStdin: a Python session has no processes')
  }

  async kill(_pid: number, _opts?: unknown): Promise<boolean> {
    return false
  }
}

/** `sandbox.pty`: there is no terminal. */
export class Pty {
  create(_opts?: unknown): Promise<never> {
    return refuse(
      'pty.create: a Python session has no terminal; use runCode, whose sessions keep their state',
    )
  }
}

function remedyFor(command: string): string {
  if (INSTALL.test(command))
    return 'sessions cannot install packages; put them into the image, with SessionManager.create({ packages: [...] }) and Sandbox.create({ manager })'
  if (PYTHON.test(command))
    return "a Python session has no shell; pass the code to runCode, or for a file: runCode(\"import runpy; runpy.run_path('file.py', run_name='__main__')\")"
  return 'a Python session has no shell; use runCode with os, shutil and pathlib, sandbox.files, or a shell such as just-bash with brumate/just-bash'
}

export function refuse(message: string): Promise<never> {
  return Promise.reject(new NotSupportedError(message))
}
