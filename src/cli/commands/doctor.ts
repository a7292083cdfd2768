// `brumate doctor`.

import { version } from '../../install/version.js'
import { type Colour, painter } from '../colours.js'
import { type Command, textOf } from '../command.js'
import type { Finding } from '../doctor/check.js'
import { checkCache, checkCores, checkMemory, checkNode } from '../doctor/machine.js'
import { tryPython } from '../doctor/trial.js'
import { EXIT_FAILED } from '../exit-codes.js'
import { printableLines } from '../text.js'

const COLOURS: Readonly<Record<Finding['status'], Colour>> = {
  ok: 'green',
  warning: 'yellow',
  problem: 'red',
}

export const doctor: Command = {
  usage: '[--image FILE] [--cache-dir DIR]',
  about:
    'Says whether brumate works on this machine, and what to fix: Node, memory, cores, the cache, the image, and a test run. Exit code 1 if there is a problem; a warning does not count.',
  options: {
    image: { type: 'string', value: 'FILE', help: 'try this image file; default: the standard image' },
    'cache-dir': { type: 'string', value: 'DIR', help: 'where images are cached' },
  },
  positionals: [0, 0],
  async run({ values, streams, progress }) {
    const [image, cacheDir] = [textOf(values, 'image'), textOf(values, 'cache-dir')]
    const findings = [checkNode(), checkMemory(), checkCores(), await checkCache(cacheDir)]
    progress.show('trying Python …')
    const onProgress = (text: string) => progress.show(text)
    for await (const finding of tryPython({ image, cacheDir, onProgress })) findings.push(finding)
    const problems = findings.filter(({ status }) => status === 'problem').length
    const paint = painter(streams.stdout)
    return {
      json: { version: version(), ok: problems === 0, checks: findings },
      text: findings.map((finding) => lines(finding, paint)).join('\n'),
      exitCode: problems === 0 ? 0 : EXIT_FAILED,
    }
  },
}

function lines({ name, status, message, fix }: Finding, paint: ReturnType<typeof painter>): string {
  const first = `${paint(COLOURS[status], status.padEnd(7))}  ${name.padEnd(9)}  ${printableLines(message)}`
  return fix === undefined ? first : `${first}\n${' '.repeat(20)}fix: ${printableLines(fix)}`
}
