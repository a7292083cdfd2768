// Writes the licenses of the packages whose code is in a bundle. Owns the text of that file.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Packages by Hono's authors that declare the MIT license but do not include its text. The one in hono, by the same authors, is used.
 */
const AS_HONO = ['@hono/zod-openapi', '@hono/zod-validator']

/** @param {Iterable<string>} directories directories of the packages */
export function writeLicenses(directories, target) {
  const texts = [...directories].map((directory) => {
    const { name, version, license } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'))
    const place = AS_HONO.includes(name) ? join(directory, '../../hono') : directory
    const file = readdirSync(place).find((entry) => /^licen[cs]e(\.|$)/i.test(entry))
    if (file === undefined) throw new Error(`${name} has no license file; its code must not be bundled`)
    return `${name} ${version} (${license})\n\n${readFileSync(join(place, file), 'utf8').trim()}\n`
  })
  const rule = `\n${'-'.repeat(80)}\n\n`
  writeFileSync(target, `brumate contains code of these packages.\n${rule}${texts.sort().join(rule)}`)
}
