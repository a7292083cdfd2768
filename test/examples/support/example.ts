// Runs an example as `node examples/run.mjs NAME` does, with the tests' image.
import { execFile } from 'node:child_process'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { inject } from 'vitest'
import { BRIEF } from '../../support/brief-process.js'

/** Runs Node in the root of the repository. @returns what it wrote, if it ended with exit code 0 */
export async function runNode(
  args: readonly string[],
  { node = process.execPath, env = {} }: { node?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<{ stdout: string; stderr: string }> {
  return promisify(execFile)(node, [...BRIEF, ...args], {
    // On platforms where the default cache directory follows XDG_CACHE_HOME, this finds the tests' image.
    env: { ...process.env, XDG_CACHE_HOME: dirname(inject('cacheDir')), ...env },
  })
}

export async function runExample(...args: readonly string[]): Promise<{ stdout: string; stderr: string }> {
  return runNode(['examples/run.mjs', ...args])
}
