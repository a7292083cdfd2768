// Builds the image once before the tests, so that no test includes the build time, and tells every test where it is cached.
import { join } from 'node:path'
import { SessionManager } from 'brumate'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    cacheDir: string
  }
}

export default async function setup(project: TestProject): Promise<void> {
  const cacheDir = join(project.config.root, 'node_modules/.cache/brumate')
  project.provide('cacheDir', cacheDir)
  const manager = await SessionManager.create({ cacheDir, slots: 1 })
  await manager.close()
}
