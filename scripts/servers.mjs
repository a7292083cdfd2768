// Installs the servers that tests of stores start from Debian's packages, if they are missing and this runs as root. Never fails: it prints
// a line for each server that says whether it is there. Tests that need a missing one are skipped.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const restate = fileURLToPath(new URL('../examples/restate', import.meta.url))

const SERVERS = [
  {
    name: 'PostgreSQL',
    debian: 'postgresql',
    isThere: () => onPath('initdb') || existsSync('/usr/lib/postgresql'),
  },
  { name: 'Redis', debian: 'redis-server', isThere: () => onPath('redis-server') },
]

const missing = SERVERS.filter(({ isThere }) => !isThere())
if (missing.length > 0 && process.getuid?.() === 0 && onPath('apt-get')) {
  aptGet('update')
  aptGet('install', '--yes', '--no-install-recommends', ...missing.map(({ debian }) => debian))
}
if (!hasRestate()) {
  // 220 MB, from npm. The package's optional dependencies contain the program for this kind of machine.
  spawnSync('npm', ['install', '--prefix', restate, '--prefer-offline', '--no-audit', '--no-fund'], {
    stdio: 'ignore',
    timeout: 180_000,
  })
}
console.log(
  hasRestate()
    ? '▸ with tests of brumate/restate'
    : '▸ without tests of brumate/restate: its server cannot be installed here',
)
for (const { name, debian, isThere } of SERVERS)
  console.log(
    isThere()
      ? `▸ with tests of stores in ${name}`
      : `▸ without tests of stores in ${name}: no ${debian} here`,
  )
console.log(
  onPath('versitygw') || process.env.BRUMATE_S3_SERVER
    ? '▸ with tests of stores in S3'
    : '▸ tests of stores in S3 with a fake server: no versitygw here',
)

function hasRestate() {
  const program = `@restatedev/restate-server-${process.platform}-${process.arch}/bin/restate-server`
  return Boolean(process.env.BRUMATE_RESTATE_SERVER) || existsSync(`${restate}/node_modules/${program}`)
}

/** In runlevel 1 (single user), packages do not start their services. */
function aptGet(...args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
  spawnSync('apt-get', ['--quiet=2', '-o', 'Acquire::Retries=1', ...args], {
    env,
    stdio: 'ignore',
    timeout: 180_000,
  })
}

function onPath(program) {
  return spawnSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' }).status === 0
}
