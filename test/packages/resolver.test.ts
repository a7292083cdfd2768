// Which versions the resolver chooses, compared with pip on a local index if pip is installed.
import { spawn, spawnSync } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { PackageError } from '../../src/shared/errors.js'
import { FakeIndex } from './support/fake-index.js'
import { makeWheel, type TestWheel, type WheelOptions } from './support/pure-wheel.js'
import { resolveWith } from './support/resolve-with.js'

/** Name, version, requirements, other options. */
type Entry = readonly [name: string, version: string, requires?: readonly string[], options?: WheelOptions]

const WORLDS: Readonly<Record<string, { readonly has: readonly Entry[]; readonly want: readonly string[] }>> =
  {
    'the newest version': {
      has: [
        ['a', '1.0'],
        ['a', '1.10'],
        ['a', '1.9'],
      ],
      want: ['a'],
    },
    'an older version, because the newest needs what does not exist': {
      has: [
        ['a', '1.0', ['b']],
        ['a', '2.0', ['b>=2']],
        ['b', '1.0'],
      ],
      want: ['a'],
    },
    'versions that fit together': {
      has: [
        ['a', '1', ['c<2']],
        ['a', '2', ['c>=2']],
        ['b', '1', ['c<2']],
        ['c', '1'],
        ['c', '2'],
      ],
      want: ['a', 'b'],
    },
    'nothing, where requirements contradict each other': {
      has: [
        ['a', '1', ['c==1']],
        ['b', '1', ['c==2']],
        ['c', '1'],
        ['c', '2'],
      ],
      want: ['a', 'b'],
    },
    'what extras add': {
      has: [
        ['a', '1', ['b; extra == "x"', 'c; extra == "y"', 'd'], { extras: ['x', 'y'] }],
        ['b', '1', ['a[y]']],
        ['c', '1'],
        ['d', '1'],
      ],
      want: ['A[X]'],
    },
    'extras that name other extras of the package': {
      has: [
        ['a', '2', ['a[x]; extra == "all"', 'b>1; extra == "x"'], { extras: ['x', 'all'] }],
        ['a', '1', ['a[x]; extra == "all"', 'b; extra == "x"'], { extras: ['x', 'all'] }],
        ['b', '1'],
      ],
      want: ['a[all]'],
    },
    'no pre-release, where there is a final version': {
      has: [
        ['a', '1.0'],
        ['a', '2.0rc1'],
      ],
      want: ['a'],
    },
    'a pre-release, where there is nothing else': { has: [['a', '2.0rc1']], want: ['a'] },
    'a pre-release, where a requirement names one': {
      has: [
        ['a', '1.0'],
        ['a', '2.0rc1'],
        ['a', '2.0.dev1'],
      ],
      want: ['a>=1.0a1'],
    },
    'no yanked version': {
      has: [
        ['a', '1'],
        ['a', '2', [], { yanked: true }],
      ],
      want: ['a'],
    },
    'a yanked version, where it is pinned': {
      has: [
        ['a', '1'],
        ['a', '2', [], { yanked: true }],
      ],
      want: ['a==2'],
    },
    'no version for another Python': {
      has: [
        ['a', '1', [], { requiresPython: '>=3.8' }],
        ['a', '2', [], { requiresPython: '<3.8' }],
      ],
      want: ['a'],
    },
    'packages that need each other': {
      has: [
        ['a', '1', ['b']],
        ['b', '1', ['a']],
      ],
      want: ['b'],
    },
    'names as they are compared': {
      has: [
        ['Foo.Bar', '1', ['baz_qux>=1']],
        ['baz-qux', '1'],
      ],
      want: ['foo_bar'],
    },
    'epochs and post-releases': {
      has: [
        ['a', '2024.1'],
        ['a', '1!1.0'],
        ['a', '1!1.0.post1'],
      ],
      want: ['a'],
    },
    'the choice of an earlier package, after a long way back': {
      has: [
        ...Array.from({ length: 12 }, (_, i): Entry => ['a', `${i + 1}`, ['b', 'c', 'd', `e==${i + 1}`]]),
        ...Array.from({ length: 8 }, (_, i): Entry => ['b', `${i + 1}`]),
        ...Array.from({ length: 8 }, (_, i): Entry => ['c', `${i + 1}`]),
        ...Array.from({ length: 8 }, (_, i): Entry => ['d', `${i + 1}`]),
        ...Array.from({ length: 12 }, (_, i): Entry => ['e', `${i + 1}`, i < 3 ? [] : ['nowhere']]),
      ],
      want: ['a'],
    },
  }

const PIP = fileURLToPath(new URL('support/pip_table.py', import.meta.url))
const hasPip =
  spawnSync('python3', ['-c', 'import pip; assert int(pip.__version__.split(".")[0]) >= 23']).status === 0

const indexes: FakeIndex[] = []
let byPip: (Readonly<Record<string, string>> | null)[] = []

describe('the resolver', () => {
  beforeAll(async () => {
    for (const { has } of Object.values(WORLDS)) indexes.push(await FakeIndex.start(has.map(wheelOf)))
    for (let seed = 1; seed <= RANDOM_WORLDS; seed++)
      indexes.push(await FakeIndex.start(randomWorld(seed).map(wheelOf)))
    byPip = hasPip ? await askPip() : []
  })

  afterAll(async () => {
    await Promise.all(indexes.map((index) => index[Symbol.asyncDispose]()))
  })

  for (const [i, [what, { want }]] of Object.entries(WORLDS).entries()) {
    it(`chooses the same versions as pip${hasPip ? '' : ' (not checked: there is no pip)'}: ${what}`, async () => {
      const chosen = await choose(indexes[i], want)
      if (hasPip) expect(chosen).toEqual(lowerCase(byPip[i]))
      else expect(chosen === null).toBe(what.startsWith('nothing'))
    })
  }

  it('finds a solution for random packages exactly when pip does, and the solution is consistent', async () => {
    for (let seed = 1; seed <= RANDOM_WORLDS; seed++) {
      const at = Object.keys(WORLDS).length + seed - 1
      const world = randomWorld(seed)
      const chosen = await choose(indexes[at], RANDOM_WANT)
      if (hasPip) expect([seed, chosen === null]).toEqual([seed, byPip[at] === null])
      if (chosen)
        expect([seed, await choose(indexes[at], RANDOM_WANT.concat(pins(chosen)))]).toEqual([seed, chosen])
      for (const [name, version, requires = []] of world) {
        if (chosen?.[name] !== version) continue
        for (const one of requires) expect(chosen).toHaveProperty([/^[a-z]+/.exec(one)?.[0] ?? ''])
      }
    }
  })
})

test('the error for a contradiction says who requires what', async () => {
  await using index = await FakeIndex.start(
    WORLDS['nothing, where requirements contradict each other']?.has.map(wheelOf),
  )
  const error = await resolveWith(index, ['a', 'b']).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(PackageError)
  for (const part of ['a 1 requires c==1', 'b 1 requires c==2', 'you require a', 'you require b'])
    expect((error as Error).message).toContain(part)
})

const RANDOM_WORLDS = 8
const RANDOM_NAMES = ['a', 'b', 'c', 'd', 'e']
const RANDOM_WANT = ['a', 'b']

/** Packages that often contradict each other. */
function randomWorld(seed: number): Entry[] {
  let state = seed * 7919
  const random = (below: number) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff
    return (state >>> 8) % below
  }
  return RANDOM_NAMES.flatMap((name, i) =>
    Array.from({ length: 1 + random(4) }, (_, n): Entry => {
      const others = RANDOM_NAMES.filter((_, j) => j > i || (j !== i && random(8) === 0))
      const requires = others
        .filter(() => random(2) === 0)
        .map((other) => `${other}${['>=', '<=', '==', '!=', '<', '~='][random(6)]}${1 + random(4)}.0`)
      return [name, `${n + 1}.0`, requires]
    }),
  )
}

function wheelOf([name, version, requires = [], options = {}]: Entry): TestWheel {
  return makeWheel(name, { version, requires, ...options })
}

/** @returns null if there is no solution */
async function choose(
  index: FakeIndex | undefined,
  want: readonly string[],
): Promise<Readonly<Record<string, string>> | null> {
  if (index === undefined) throw new Error('there is no index')
  try {
    const { packages } = (await resolveWith(index, want)).lock
    return Object.fromEntries(packages.map(({ name, version }) => [name, version]))
  } catch (error) {
    if (error instanceof PackageError) return null
    throw error
  }
}

async function askPip(): Promise<(Readonly<Record<string, string>> | null)[]> {
  const random = Array.from({ length: RANDOM_WORLDS }, () => RANDOM_WANT)
  const wants = [...Object.values(WORLDS).map(({ want }) => want), ...random]
  const pip = spawn('python3', [PIP], { stdio: ['pipe', 'pipe', 'inherit'] })
  pip.stdin.end(indexes.map(({ url }, i) => `${JSON.stringify([url, wants[i]])}\n`).join(''))
  const answers: (Readonly<Record<string, string>> | null)[] = []
  for await (const line of createInterface(pip.stdout)) answers.push(JSON.parse(line))
  return answers
}

function pins(chosen: Readonly<Record<string, string>>): string[] {
  return Object.entries(chosen).map(([name, version]) => `${name}==${version}`)
}

function lowerCase(chosen: Readonly<Record<string, string>> | null | undefined) {
  if (!chosen) return chosen
  const canonical = (name: string) => name.toLowerCase().replace(/[-_.]+/g, '-')
  return Object.fromEntries(Object.entries(chosen).map(([name, version]) => [canonical(name), version]))
}
