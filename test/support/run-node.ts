// Runs Node in a process of its own, in the repository's root and with the tests' image. Owns the environment that finds the image.
import { execFile } from 'node:child_process'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { inject } from 'vitest'
import { BRIEF } from './brief-process.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Runs a program that ends by itself. @returns what it wrote, if it ended with exit code 0 */
export async function runNode(
  args: readonly string[],
  { node = process.execPath, env = {} }: { node?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<{ stdout: string; stderr: string }> {
  return promisify(execFile)(node, [...BRIEF, ...args], {
    cwd: ROOT,
    // On platforms where the default cache directory follows XDG_CACHE_HOME, this finds the tests' image.
    env: { ...process.env, XDG_CACHE_HOME: dirname(inject('cacheDir')), ...env },
  })
}

export async function runExample(...args: readonly string[]): Promise<{ stdout: string; stderr: string }> {
  return runNode(['examples/run.mjs', ...args])
}
