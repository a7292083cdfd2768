// Finds the package index that pip or uv would use, from their environment variables and configuration files. Owns where those files are,
// and parsing the few settings that matter. This repository contains no address of an index.
import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'

export interface Machine {
  readonly platform: string
  readonly env: NodeJS.ProcessEnv
  readonly home: string
  readonly cwd: string
}

export function thisMachine(): Machine {
  return { platform: process.platform, env: process.env, home: homedir(), cwd: process.cwd() }
}

/** `disabled`: pip is configured to use no index. `undefined`: neither tool configures one. */
export type IndexSetting = { readonly url: string; readonly from: string } | 'disabled' | undefined

const TRUE = /^(1|true|yes|on|y|t)$/i

export async function indexSetting(machine: Machine): Promise<IndexSetting> {
  const { env } = machine
  if (TRUE.test(env.PIP_NO_INDEX ?? '')) return 'disabled'
  for (const name of ['PIP_INDEX_URL', 'UV_DEFAULT_INDEX', 'UV_INDEX_URL']) {
    // uv allows a name before the address: `corporate=https://…`.
    const url = env[name]?.trim().replace(/^[A-Za-z0-9_-]+=(?=https?:)/, '')
    if (url) return { url, from: name }
  }
  // The last file wins.
  for (const path of pipFiles(machine).reverse()) {
    const settings = parseIni(await readText(path))
    const of = (key: string) =>
      ['download', 'install', 'global'].map((section) => settings.get(`${section}.${key}`)).find(Boolean)
    if (TRUE.test(of('no-index') ?? '')) return 'disabled'
    const url = of('index-url')
    if (url) return { url, from: path }
  }
  for (const path of uvFiles(machine)) {
    const url = uvIndex(await readText(path))
    if (url) return { url, from: path }
  }
  return undefined
}

/** pip's files, in the order in which pip reads them. */
function pipFiles({ platform, env, home }: Machine): string[] {
  const { PIP_CONFIG_FILE: given, VIRTUAL_ENV: environment } = env
  const isWindows = platform === 'win32'
  if (given === '/dev/null' || given === 'nul') return []
  const file = isWindows ? 'pip.ini' : 'pip.conf'
  const files: string[] = []
  if (isWindows) {
    files.push(join(env.PROGRAMDATA || 'C:\\ProgramData', 'pip', file), join(home, 'pip', file))
    files.push(join(env.APPDATA || join(home, 'AppData', 'Roaming'), 'pip', file))
  } else {
    const shared = (env.XDG_CONFIG_DIRS || '/etc/xdg').split(':').map((path) => join(path, 'pip', file))
    files.push(...shared.reverse(), '/etc/pip.conf', join(home, '.pip', file))
    if (platform === 'darwin') files.push(join(home, 'Library', 'Application Support', 'pip', file))
    files.push(join(env.XDG_CONFIG_HOME || join(home, '.config'), 'pip', file))
  }
  if (environment) files.push(join(environment, file))
  if (given) files.push(given)
  return files
}

/** uv's files. The first one with the setting wins. */
function uvFiles({ platform, env, home, cwd }: Machine): string[] {
  if (env.UV_CONFIG_FILE) return [env.UV_CONFIG_FILE]
  const user = platform === 'win32' ? env.APPDATA || join(home, 'AppData', 'Roaming') : env.XDG_CONFIG_HOME
  const system = platform === 'win32' ? join(env.PROGRAMDATA || 'C:\\ProgramData', 'uv') : '/etc/uv'
  const files = [join(cwd, 'uv.toml'), join(user || join(home, '.config'), 'uv', 'uv.toml')]
  return [...files, join(system, 'uv.toml')]
}

/** Values by `section.key`, with pip's names of the keys. */
function parseIni(text: string): Map<string, string> {
  const values = new Map<string, string>()
  let section = ''
  for (const line of text.split(/\r?\n/)) {
    const header = /^\[([^\]]+)\]\s*$/.exec(line)?.[1]
    if (header !== undefined) {
      section = header.trim().toLowerCase()
      continue
    }
    const [, key, value] = /^([A-Za-z][\w-]*)\s*[=:]\s*(.*)$/.exec(line) ?? []
    if (key !== undefined && value !== undefined)
      values.set(`${section}.${key.toLowerCase().replaceAll('_', '-')}`, value.trim())
  }
  return values
}

/** The address of the `[[index]]` with `default = true`, otherwise `index-url`. */
function uvIndex(text: string): string | undefined {
  const lines = text.split(/\r?\n/).map((line) => line.trim())
  let table: Map<string, string> = new Map()
  const tables = [{ header: '', values: table }]
  for (const line of lines) {
    if (/^\[/.test(line)) {
      table = new Map()
      tables.push({ header: line.replace(/\s*#.*$/, ''), values: table })
    }
    const [, key, text, bare] =
      /^"?([A-Za-z][\w-]*)"?\s*=\s*(?:"([^"]*)"|'[^']*'|(true|false))/.exec(line) ?? []
    if (key !== undefined) table.set(key, text ?? bare ?? '')
  }
  const chosen = tables.find(
    ({ header, values }) => header === '[[index]]' && values.get('default') === 'true' && values.get('url'),
  )
  return chosen?.values.get('url') ?? (tables[0]?.values.get('index-url') || undefined)
}

/** Empty if the file does not exist or cannot be read. pip ignores both cases, too. */
async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch {
    return ''
  }
}
