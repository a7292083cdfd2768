// Tests import `brumate` as a user would and get what the build made: `npm test` builds first.
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  resolve: {
    alias: { brumate: fileURLToPath(new URL('./dist/src/index.js', import.meta.url)) },
  },
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    // Every file boots interpreters of its own; more files at once than cores only lengthens each.
    maxWorkers: 2,
    testTimeout: 60_000,
    // Some tests still depend on how busy the machine is. The report names what needed its second try: each is a bug to find.
    retry: 1,
    hookTimeout: 120_000,
    globalSetup: ['test/support/image.ts'],
    // The build is loaded by Node itself, as it is for a user.
    server: { deps: { external: [/\/dist\//] } },
  },
})
