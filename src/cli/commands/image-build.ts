// `brumate image build`.
import { existsSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { Image } from '../../image.js'
import { LOCK_FILE } from '../../packages/lock.js'
import { type Command, type CommandInput, textOf, textsOf, UsageError } from '../command.js'
import { PACKAGE_OPTIONS, packageOptions } from '../package-options.js'
import { packageTable } from '../table.js'

export const imageBuild: Command = {
  usage: '-o FILE [--standard] [-p REQUIREMENT]… [-r FILE]… [--lock FILE] [OPTIONS]',
  about: `Builds an image with packages, or takes it from the cache, and saves it as FILE. Without packages and requirements, it takes those of ${LOCK_FILE} in the current directory.`,
  options: {
    output: { type: 'string', short: 'o', value: 'FILE', help: 'where the image is saved' },
    ...PACKAGE_OPTIONS,
    standard: { type: 'boolean', help: 'the image without packages' },
    lock: { type: 'string', value: 'FILE', help: 'take exactly what this lock says; asks no index' },
    preload: {
      ...{ type: 'string', multiple: true, value: 'MODULE' },
      help: 'import this module into the image; default: those of the packages asked for',
    },
  },
  positionals: [0, 0],
  async run(input) {
    const output = textOf(input.values, 'output')
    if (output === undefined) throw new UsageError('missing -o FILE: where to save the image')
    // Building takes minutes, so check first that the result can be saved.
    const directory = dirname(resolve(output))
    const stats = await stat(directory).catch(() => undefined)
    if (!stats?.isDirectory()) throw new UsageError(`-o ${output}: there is no directory ${directory}`)
    const lock = lockOf(input)
    const preload = textsOf(input.values, 'preload')
    const image = await Image.build({
      ...packageOptions(input),
      ...(lock === undefined ? {} : { lock }),
      ...(preload.length > 0 ? { preload } : {}),
    })
    input.progress.show('saving the image …')
    await image.save(output)
    const { id, packages } = image
    const { size: sizeBytes } = await stat(output)
    return {
      json: { path: output, id, sizeBytes, packages },
      text: `${output}: image ${id}, ${(sizeBytes / 1e6).toFixed(1)} MB\n${packageTable(packages)}`,
    }
  },
}

function lockOf({ values }: CommandInput): string | undefined {
  if (values.standard === true) {
    for (const name of ['package', 'requirements', 'lock', 'preload'])
      if (values[name] !== undefined) throw new UsageError(`--standard takes no packages, so no --${name}`)
    return undefined
  }
  const given = textOf(values, 'lock')
  if (given !== undefined) return given
  if (textsOf(values, 'package').length > 0 || textsOf(values, 'requirements').length > 0) return undefined
  if (existsSync(LOCK_FILE)) return LOCK_FILE
  throw new UsageError(
    `missing packages: give -p, -r or --lock, or --standard for none; there is no ${LOCK_FILE} in the current directory`,
  )
}
