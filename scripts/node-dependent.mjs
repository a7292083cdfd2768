// Lists the tests whose outcome depends on the version of Node, in groups with a reason. CI runs them under every supported Node; the
// oldest and the newest run the whole suite. `node scripts/node-dependent.mjs` prints the list; with `--files`, only the names for vitest.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

// Long suites are left out if the oldest and the newest Node prove their claims for those between, because CI's time is limited.
const GROUPS = [
  {
    reason: 'codecs: how V8 stores texts, numbers and dates',
    tests: ['test/values/codec.test.ts', 'test/session/values-from-python.test.ts'],
  },
  {
    reason: 'workers: threads, message ports, Atomics and the end of a process',
    tests: ['test/slots/', 'test/session/closing.test.ts', 'test/vfs/posted.test.ts'],
  },
  {
    reason: 'the seal: what globals, internal modules and intrinsics a thread has',
    tests: [
      ...['test/security/seal.test.ts', 'test/security/module-graph.test.ts'],
      ...['test/security/lying-kernel.test.ts', 'test/security/residue.test.ts'],
      ...['test/security/renewal.test.ts', 'test/security/shared-image.test.ts'],
    ],
  },
  {
    reason:
      'WebAssembly: stack frames, growth of memory, traps, the imports, and which instructions V8 takes',
    tests: [
      ...['test/linker/opcodes.test.ts', 'test/linker/refusals.test.ts'],
      ...['test/security/stack.test.ts', 'test/host/no-compiling.test.ts'],
      ...['test/host/imports.test.ts', 'test/host/memory.test.ts'],
    ],
  },
  {
    reason: 'snapshots and the image: zlib, zstd and hashes, which a newer Node may have and an older not',
    tests: [
      ...['test/snapshot/zstd.test.ts', 'test/snapshot/document.test.ts', 'test/snapshot/blocks.test.ts'],
      ...['test/snapshot/memory-delta.test.ts', 'test/snapshot/check-mode.test.ts'],
      'test/docs/snapshot-format.test.ts',
      ...['test/image/format.test.ts', 'test/image/module-state.test.ts'],
    ],
  },
  {
    reason: 'time zones and the file system: ICU data and calls of node:fs',
    tests: ['test/host/time.test.ts', 'test/vfs/host-directories.test.ts', 'test/vfs/without-proc.test.ts'],
  },
  {
    reason: 'packages of others that need a newer Node than brumate does: `ai` needs 22',
    tests: ['test/ai-sdk/', 'test/examples/agents.test.ts'],
  },
  {
    reason: 'the terminal: readline, raw mode and signals',
    tests: ['test/cli/repl.test.ts'],
  },
]

const root = fileURLToPath(new URL('../', import.meta.url))
const missing = GROUPS.flatMap(({ tests }) => tests).filter((path) => !existsSync(root + path))
if (missing.length > 0) throw new Error(`node-dependent tests that are not there: ${missing.join(' ')}`)

if (process.argv.includes('--files')) console.log(GROUPS.flatMap(({ tests }) => tests).join('\n'))
else for (const { reason, tests } of GROUPS) console.log(`  ${reason}\n    ${tests.join('\n    ')}`)
