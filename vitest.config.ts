// How tests run: which files share a process, and in what order. Tests use what the build made: `npm test` builds first.
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config'
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
    'packages/upstream',
    'docs/examples',
    'client/conformance',
    'kernel/kernel',
    'restate/restate',
    'packages/analysis',
    'security/max-memory',
  ],
  ...[
    'session/deadline',
    'attacks/thread',
    'attacks/escapes',
    'security/boot',
    'callbacks/awaiting',
    'callbacks/argument-window',
  ],
  ...['vfs/host-side', 'vfs/storage', 'chaos/stores', 'chaos/chaos', 'packages/image', 'image/reproducible'],
  ...['examples/tour', 'examples/approval', 'examples/agents', 'cli/cli', 'cli/store-salvage', 'mcp/stdio'],
]

/** Files that change what belongs to the whole process (its flags, the modules of Node, its umask, its environment), or that measure it. */
const ALONE = [
  'image/cache',
  'image/open-file',
  'session/stored/memory',
  'slots/reasons',
  'snapshot/hostile-documents',
  'snapshot/zstd',
  'store/directory',
  'store/directory-crash',
  'store/s3',
  'vfs/host-directories',
].map((name) => `test/${name}.test.ts`)

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const others = await super.sort(files)
    const first = LONGEST.flatMap((name) =>
      others.filter(({ moduleId }) => moduleId.endsWith(`/test/${name}.test.ts`)),
    )
    return [...first, ...others.filter((file) => !first.includes(file))]
  }
}

/** Tests import `brumate` as users do, and get the build. */
const resolve = {
  alias: [
    { find: /^brumate$/, replacement: fileURLToPath(new URL('./dist/src/index.js', import.meta.url)) },
    { find: /^brumate\/(.+)$/, replacement: fileURLToPath(new URL('./dist/src/$1.js', import.meta.url)) },
  ],
}

const common = {
  pool: 'forks',
  setupFiles: ['test/support/close-managers.ts'],
  testTimeout: 60_000,
  hookTimeout: 120_000,
  // The build is loaded by Node itself, as it is for a user.
  server: { deps: { external: [/\/dist\//] } },
} as const satisfies TestProjectInlineConfiguration['test']

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    // More than there are cores: a file spends a third of its time waiting for processes, deadlines and other threads. At most 8, because
    // each takes up to a gigabyte of memory.
    maxWorkers: Math.min(availableParallelism() + 2, 8),
    globalSetup: ['test/support/image.ts', 'test/support/left-out.ts'],
    projects: [
      // Files that share a process, one after the other, compile the interpreter once.
      {
        resolve,
        test: { ...common, name: 'shared', isolate: false, include: ['test/**/*.test.ts'], exclude: ALONE },
      },
      { resolve, test: { ...common, name: 'alone', include: ALONE } },
    ],
  },
})
