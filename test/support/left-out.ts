// The last line of a test run: which tests this machine could not run, and how to enable them. It is a global setup because vitest prints
// its summary before it tears that down.
import { existsSync } from 'node:fs'
import type { TestProject } from 'vitest/node'
import { findProgram } from '../store/support/processes.js'
import { initdb, redisServer } from '../store/support/servers.js'

interface Optional {
  readonly tests: string
  readonly isThere: boolean
  /** Test files that need this requirement. */
  readonly files: RegExp
  readonly remedy: string
}

const servers = '`node scripts/servers.mjs` as root on Debian installs it'

function optional(): readonly Optional[] {
  return [
    {
      tests: 'PostgresStore with PostgreSQL',
      isThere: initdb !== undefined,
      files: /\/test\/store\/postgres\.test\.ts$/,
      remedy: servers,
    },
    {
      tests: 'RedisStore with Redis',
      isThere: redisServer !== undefined,
      files: /\/test\/store\/redis\.test\.ts$/,
      remedy: servers,
    },
    {
      tests: 'S3Store with a real server',
      isThere: (process.env.BRUMATE_S3_SERVER ?? findProgram('versitygw')) !== undefined,
      files: /\/test\/store\/s3\.test\.ts$/,
      remedy: 'install versitygw, see CONTRIBUTING.md',
    },
    {
      tests: 'brumate/restate with its server',
      isThere: hasRestate(),
      files: /\/test\/restate\/restate\.test\.ts$/,
      remedy: 'npm install --prefix examples/restate',
    },
    {
      tests: 'the REPL in a terminal',
      isThere: findProgram('python3') !== undefined,
      files: /\/test\/cli\/repl\.test\.ts$/,
      remedy: 'install python3',
    },
    {
      tests: 'real packages',
      isThere: Boolean(process.env.BRUMATE_WHEELS),
      files:
        /\/test\/(packages\/(upstream|analysis|tenants|real-packages)|linker\/wheels|docs\/examples|e2b\/charts)\.test\.ts$/,
      remedy: 'export BRUMATE_WHEELS=$(node scripts/wheels.mjs)',
    },
  ]
}

function hasRestate(): boolean {
  const installed = new URL('../../examples/restate/node_modules', import.meta.url)
  return (
    [process.env.BRUMATE_RESTATE_SERVER, findProgram('restate-server')].some(Boolean) || existsSync(installed)
  )
}

/** Undefined if nothing was left out. @param files that were run: absolute paths with `/` */
export function leftOut(files: readonly string[], all: readonly Optional[] = optional()): string | undefined {
  const missing = all.filter((one) => !one.isThere && files.some((file) => one.files.test(file)))
  if (missing.length === 0) return undefined
  const remedies = new Map<string, string[]>()
  for (const { tests, remedy } of missing) remedies.set(remedy, [...(remedies.get(remedy) ?? []), tests])
  const parts = [...remedies].map(([remedy, tests]) => `${tests.join(' and ')} (${remedy})`)
  return `left out, because this machine lacks what they need: tests of ${parts.join('; ')}`
}

export default function setup({ vitest }: TestProject): () => void {
  return () => {
    const files = vitest.state.getFiles().map(({ filepath }) => filepath.replaceAll('\\', '/'))
    const line = leftOut(files)
    if (line !== undefined) process.stderr.write(`${line}\n`)
  }
}
