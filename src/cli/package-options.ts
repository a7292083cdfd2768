// The options of commands that choose packages. Owns their names on the command line; src/packages/options.ts defines their meaning.
import type { ImageOptions } from '../packages/options.js'
import type { PackageProgress } from '../packages/progress.js'
import { type CommandInput, type Option, textOf, textsOf } from './command.js'

export const PACKAGE_OPTIONS: Readonly<Record<string, Option>> = {
  package: {
    ...{ type: 'string', short: 'p', multiple: true, value: 'REQUIREMENT' },
    help: 'a package, such as pandas, "matplotlib>=3.10" or the path of a wheel',
  },
  requirements: {
    ...{ type: 'string', short: 'r', multiple: true, value: 'FILE' },
    help: "a requirements file, as pip's",
  },
  wheels: {
    ...{ type: 'string', multiple: true, value: 'DIR' },
    help: 'a directory with wheels, which are preferred to other sources',
  },
  'index-url': {
    type: 'string',
    value: 'URL',
    help: "the Python package index; default: pip's or uv's setting",
  },
  'no-index': { type: 'boolean', help: 'ask no index' },
  'cache-dir': { type: 'string', value: 'DIR', help: 'where images and wheels are cached' },
}

/** The options in the form that the library takes. */
export function packageOptions({ values, signal, progress }: CommandInput): ImageOptions {
  const [indexUrl, cacheDir] = [textOf(values, 'index-url'), textOf(values, 'cache-dir')]
  return {
    packages: textsOf(values, 'package'),
    requirements: textsOf(values, 'requirements'),
    wheels: textsOf(values, 'wheels'),
    ...(values['no-index'] === true ? { indexUrl: null } : indexUrl === undefined ? {} : { indexUrl }),
    ...(cacheDir === undefined ? {} : { cacheDir }),
    signal,
    onProgress: (step) => progress.show(progressText(step)),
  }
}

function progressText({ step, phase, package: name, done, total, bytes }: PackageProgress): string {
  const count = total > 0 ? ` ${done}/${total}` : ''
  switch (step) {
    case 'resolve':
      return 'choosing versions …'
    case 'fetch': {
      const megabytes = bytes === undefined || bytes === 0 ? '' : `, ${(bytes / 1e6).toFixed(1)} MB`
      return `fetching wheels${count}${megabytes}${name === undefined ? '' : ` (${name})`} …`
    }
    case 'build':
      return `building the image: ${phase ?? 'starting'}${count} …`
  }
}
