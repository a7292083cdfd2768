// Where the peers' packages are, and how they are installed. brumate does not depend on them: `node bench/run.mjs peers --install` installs
// them into a cache beside the installed packages, with npm, and with pip into a virtual environment.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const FOLDER = fileURLToPath(new URL('../../../node_modules/.cache/brumate/peers/', import.meta.url))
export const MONTY_FOLDER = join(FOLDER, 'monty')
const ERYX_FOLDER = join(FOLDER, 'eryx')
export const ERYX_PYTHON = join(
  ERYX_FOLDER,
  process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python',
)

const MONTY = '@pydantic/monty@0.0.18'
const ERYX = 'pyeryx==0.11.0'
const LEAST_MINOR = 12
const HOW = 'node bench/run.mjs peers --install'

/** One line for each peer that may be missing. */
export const HOW_TO_GET = {
  brumate: 'npm run build',
  pyodide: 'npm ci',
  python3: 'install Python 3',
  monty: `${HOW} (npm: ${MONTY})`,
  eryx: `${HOW} (PyPI: ${ERYX}; needs CPython 3.${LEAST_MINOR} or newer)`,
} as const

/** @returns the problems, one line each */
export function installPeers(progress: (text: string) => void): string[] {
  const problems: string[] = []
  const run = (what: string, command: string, args: readonly string[]): boolean => {
    progress(`${command} ${args.join(' ')}`)
    const { status, error } = spawnSync(command, args, { stdio: ['ignore', 2, 2] })
    if (status !== 0)
      problems.push(`${what}: ${command} ${error ? error.message : `ended with exit code ${status}`}`)
    return status === 0
  }
  mkdirSync(MONTY_FOLDER, { recursive: true })
  // Otherwise, npm would install into the nearest parent folder with a package.json.
  writeFileSync(join(MONTY_FOLDER, 'package.json'), '{ "private": true }\n')
  const npm = ['install', '--no-audit', '--no-fund', '--prefix', MONTY_FOLDER, MONTY]
  run('monty', process.platform === 'win32' ? 'npm.cmd' : 'npm', npm)
  const python = findNewPython()
  if (python === undefined)
    problems.push(
      `eryx: no CPython 3.${LEAST_MINOR} or newer among ${CANDIDATES.join(', ')}; set BRUMATE_PEERS_PYTHON`,
    )
  else if (existsSync(ERYX_PYTHON) || run('eryx', python, ['-m', 'venv', ERYX_FOLDER]))
    run('eryx', ERYX_PYTHON, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ERYX])
  return problems
}

const CANDIDATES = ['python3.14', 'python3.13', 'python3.12', 'python3', 'python']

/** All versions of pyenv, not only the one that is selected. */
function pyenvPythons(): string[] {
  const folder = join(process.env.PYENV_ROOT ?? join(homedir(), '.pyenv'), 'versions')
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name, 'bin/python')) : []
}

function findNewPython(): string | undefined {
  const own = process.env.BRUMATE_PEERS_PYTHON
  const code = 'import sys; print(sys.version_info[1] if sys.version_info[0] == 3 else 0)'
  return (own === undefined ? [...CANDIDATES, ...pyenvPythons()] : [own]).find((command) => {
    const { status, stdout } = spawnSync(command, ['-c', code], { encoding: 'utf8' })
    return status === 0 && Number(stdout) >= LEAST_MINOR
  })
}
