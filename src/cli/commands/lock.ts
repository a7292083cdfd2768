// `brumate lock`.
import { readFile, writeFile } from 'node:fs/promises'
import { LOCK_FILE, lockText } from '../../packages/lock.js'
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
    check: { type: 'boolean', help: 'write nothing; exit code 1 if the lock would change' },
  },
  positionals: [0, 0],
  async run(input) {
    const { values } = input
    if (textsOf(values, 'package').length === 0 && textsOf(values, 'requirements').length === 0)
      throw new UsageError('which packages? Give -p or -r')
    const path = textOf(values, 'output') ?? LOCK_FILE
    const made = await makeLock(resolveImageOptions(packageOptions(input)))
    const isSame = (await read(path)) === lockText(made)
    const isCheck = values.check === true
    if (!isSame && !isCheck) await write(path, lockText(made))
    const state = isSame ? 'unchanged' : isCheck ? 'out of date' : 'written'
    return {
      json: { path, state, packages: made.packages },
      text: `${path}: ${state}\n${packageTable(made.packages)}`,
      exitCode: isCheck && !isSame ? 1 : 0,
    }
  },
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
