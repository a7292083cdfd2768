// `brumate lock`.
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { LOCK_FILE, lockText, readLock } from '../../packages/lock.js'
import { makeLock } from '../../packages/open.js'
import { resolveImageOptions } from '../../packages/options.js'
import { PackageError } from '../../shared/errors.js'
import { type Command, textOf, textsOf, UsageError } from '../command.js'
import { PACKAGE_OPTIONS, packageOptions } from '../package-options.js'
import { packageTable } from '../table.js'

export const lock: Command = {
  usage: '[-p REQUIREMENT]… [-r FILE]… [-o FILE] [OPTIONS]',
  about:
    'Chooses a version of each package and of all that they need, and writes names, versions and hashes to a lock. Commit the lock: images that are built of it are the same everywhere.',
  options: {
    ...PACKAGE_OPTIONS,
    output: {
      type: 'string',
      short: 'o',
      value: 'FILE',
      help: `where the lock is written; default: ${LOCK_FILE}`,
    },
    check: {
      type: 'boolean',
      help: 'write nothing; exit code 1 if the lock would change. Without -p and -r, for the packages that it was made for',
    },
  },
  positionals: [0, 0],
  async run(input) {
    const { values } = input
    const path = textOf(values, 'output') ?? LOCK_FILE
    const isCheck = values.check === true
    const isGiven = textsOf(values, 'package').length > 0 || textsOf(values, 'requirements').length > 0
    if (!isGiven && !isCheck) throw new UsageError('missing packages: give -p or -r')
    const options = packageOptions(input)
    const packages = isGiven ? options.packages : await lockedRequirements(path, textsOf(values, 'wheels'))
    const made = await makeLock(resolveImageOptions({ ...options, ...(packages ? { packages } : {}) }))
    const isSame = (await read(path)) === lockText(made)
    if (!isSame && !isCheck) await write(path, lockText(made))
    const state = isSame ? 'unchanged' : isCheck ? 'out of date' : 'written'
    return {
      json: { path, state, packages: made.packages },
      text: `${path}: ${state}\n${packageTable(made.packages)}`,
      exitCode: isCheck && !isSame ? 1 : 0,
    }
  },
}

/** The requirements of an earlier lock. For a wheel that was given by its path, the lock has only the file name. */
async function lockedRequirements(path: string, directories: readonly string[]): Promise<readonly string[]> {
  const { requirements } = await readLock(path)
  return requirements.map((text) => {
    const [, extras = '', file] = /^[^[ ]*(\[[^\]]*\])? @ (.*)$/.exec(text) ?? []
    if (file === undefined) return text
    const found = ['.', ...directories].map((directory) => resolve(directory, file)).find(existsSync)
    if (found !== undefined) return `${found}${extras}`
    throw new UsageError(
      `${path} was made for the wheel ${file}, which is neither here nor in a directory of --wheels; give its path with -p, and the others`,
    )
  })
}

async function read(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined)
}

async function write(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw new PackageError(undefined, `the lock ${path} cannot be written (${code})`, { cause })
  }
}
