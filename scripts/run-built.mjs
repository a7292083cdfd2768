// Runs a program of the repository from the output of `npm run build`. Owns the messages if there is none, and if an option is unknown.
import { existsSync } from 'node:fs'

/**
 * @param path below dist/, such as `examples/tour.js`
 * @param guide the page that lists the options of the program, from the root of the repository
 */
export async function runBuilt(path, guide) {
  const file = new URL(`../dist/${path}`, import.meta.url)
  if (guide !== undefined && /^(-h|--help)$/.test(process.argv.at(-1) ?? '')) {
    console.log(`The options are in ${guide}.`)
    return
  }
  if (!existsSync(file)) {
    console.error(`dist/${path} is not there: run \`npm run build\` first, in a clone of the repository`)
    process.exit(2)
  }
  try {
    await import(file.href)
  } catch (error) {
    if (!String(error?.code).startsWith('ERR_PARSE_ARGS')) throw error
    console.error(`${error.message}. ${guide === undefined ? '' : `The options are in ${guide}.`}`.trimEnd())
    process.exitCode = 2
  }
}
