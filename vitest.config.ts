// Tests import `brumate` as a user would and get what the build made: `npm test` builds first.
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/**
 * Files that take longest, longest first. They start first, so that no core is idle while the last file runs. Vitest itself orders by the
 * size of a file where it has no earlier run to go by, as in a fresh clone.
 */
const LONGEST = [
  ...[
    'attacks/interpreter',
    'attacks/exhaustion',
    'attacks/messages',
    'session/process',
    'session/checkpoints',
  ],
  ...[
    'kernel/kernel',
    'session/deadline',
    'attacks/thread',
    'attacks/escapes',
    'security/boot',
    'callbacks/awaiting',
  ],
]

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const others = await super.sort(files)
    const first = LONGEST.flatMap((name) =>
      others.filter(({ moduleId }) => moduleId.endsWith(`/test/${name}.test.ts`)),
    )
    return [...first, ...others.filter((file) => !first.includes(file))]
  }
}

export default defineConfig({
  resolve: {
    alias: [
      { find: /^brumate$/, replacement: fileURLToPath(new URL('./dist/src/index.js', import.meta.url)) },
      { find: /^brumate\/(.+)$/, replacement: fileURLToPath(new URL('./dist/src/$1.js', import.meta.url)) },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    setupFiles: ['test/support/close-managers.ts'],
    sequence: { sequencer: LongestFirst },
    // One more than CI has cores: a file spends a quarter of its time waiting for processes, deadlines and other threads.
    maxWorkers: 3,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    globalSetup: ['test/support/image.ts', 'test/support/left-out.ts'],
    // The build is loaded by Node itself, as it is for a user.
    server: { deps: { external: [/\/dist\//] } },
  },
})
