// Resolves packages against a test's index, with a cache that is removed after the test. Owns the defaults.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { PyodideRelease } from '../../../src/packages/pyodide-release.js'
import { type Resolution, type ResolveRequest, resolvePackages } from '../../../src/packages/resolve.js'
import { WheelCache } from '../../../src/packages/wheel-cache.js'
import type { FakeIndex } from './fake-index.js'

/** A directory that is removed when the running test ends. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'brumate-packages-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** @param index undefined means no index */
export async function resolveWith(
  index: FakeIndex | undefined,
  packages: readonly string[],
  options: Partial<ResolveRequest> = {},
): Promise<Resolution> {
  return resolvePackages({
    requirements: packages.map((text) => ({ text, hashes: [], directory: process.cwd(), where: 'packages' })),
    constraints: [],
    release: await PyodideRelease.read(),
    directories: [],
    indexUrl: index?.url ?? null,
    cache: new WheelCache(temporaryDirectory()),
    signal: undefined,
    onProgress: () => {},
    ...options,
  })
}
