// Random Python values: what the kernel encodes must decode to the corresponding JavaScript value. One session makes all of them, many
// per call.
import { isDeepStrictEqual } from 'node:util'
import { SessionManager, type Value } from 'brumate'
import { Random } from '../../chaos/random.js'
import type { FuzzOptions, FuzzReport } from './support/fuzzer.js'

export const name = 'kernel-values'

const CASES_PER_CALL = 20
const MAX_DEPTH = 4
const TEXTS = ['', 'a', 'é', '漢字', '😀', '\ud800', 'x\udc00y', '\0', 'a'.repeat(40), 'é'.repeat(40_000)]
/** Texts short enough for keys and set members. */
const SHORT_TEXTS = TEXTS.slice(0, 9)
const FLOATS = [0.5, -0, 1e308, 5e-324, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]

/** Python source of a value, and the value that JavaScript should receive. */
interface Pair {
  readonly python: string
  readonly value: Value
}

function pair(random: Random, depth: number): Pair {
  const members = () => Array.from({ length: random.integer(0, 5) }, () => pair(random, depth - 1))
  switch (random.integer(0, depth === 0 ? 6 : 9)) {
    case 0:
      return random.pick([
        { python: 'None', value: null },
        { python: 'True', value: true },
        { python: 'False', value: false },
      ])
    case 1:
    case 2:
      return integer(random)
    case 3:
      return float(random.pick([...FLOATS, random.integer(-1000, 1000) / 8 + 1 / 16]))
    case 4:
      return text(random.pick(TEXTS))
    case 5: {
      const bytes = Uint8Array.from({ length: random.integer(0, 40) }, () => random.integer(0, 255))
      const type = random.pick(['bytes', 'bytearray'])
      return { python: `${type}.fromhex('${Buffer.from(bytes).toString('hex')}')`, value: bytes }
    }
    case 6: {
      const ms = random.integer(-1_000_000_000, 1_000_000_000) * 1000
      return { python: `datetime.fromtimestamp(${ms / 1000}, UTC)`, value: new Date(ms) }
    }
    case 7:
      return dict(random, members())
    case 8:
      return set(random)
    default: {
      const given = members()
      const inner = given.map(({ python }) => `${python},`).join('')
      return {
        python: random.chance(0.5) || given.length === 0 ? `[${inner}]` : `(${inner})`,
        value: given.map(({ value }) => value),
      }
    }
  }
}

function integer(random: Random): Pair {
  let magnitude = BigInt(random.integer(0, 1_000_000))
  for (let more = random.integer(0, 9); more > 0; more--)
    magnitude = magnitude * BigInt(2 ** 31) + BigInt(random.integer(0, 2 ** 31 - 1))
  const exact = random.chance(0.5) ? magnitude : -magnitude
  const number = Number(exact)
  return { python: `${exact}`, value: Number.isSafeInteger(number) ? number : exact }
}

function float(value: number): Pair {
  if (Object.is(value, -0)) return { python: '-0.0', value }
  // An exponent makes the literal a float, even for whole numbers.
  const python = Number.isFinite(value) ? value.toExponential() : `float('${value}')`
  return { python, value }
}

function text(value: string): Pair {
  const escaped = value.replaceAll(/[^ -~]|["\\]/gu, (character) => {
    const point = character.codePointAt(0) ?? 0
    return `\\U${point.toString(16).padStart(8, '0')}`
  })
  return { python: `"${escaped}"`, value }
}

function dict(random: Random, members: readonly Pair[]): Pair {
  const entries = members.map((member, i) => [text(`${random.pick(SHORT_TEXTS)}${i}`), member] as const)
  return {
    python: `{${entries.map(([key, { python }]) => `${key.python}: ${python},`).join('')}}`,
    value: Object.fromEntries(entries.map(([key, { value }]) => [key.value as string, value])),
  }
}

function set(random: Random): Pair {
  const members = Array.from({ length: random.integer(1, 40) }, () =>
    random.chance(0.3) ? text(`${random.pick(SHORT_TEXTS)}${random.integer(0, 9)}`) : integer(random),
  )
  const inner = members.map(({ python }) => `${python},`).join('')
  return {
    python: random.chance(0.5) ? `{${inner}}` : `frozenset([${inner}])`,
    value: new Set(members.map(({ value }) => value)),
  }
}

export async function run({
  seed,
  deadlineMs,
  maxCases,
  cacheDir,
  onProgress,
}: FuzzOptions): Promise<FuzzReport> {
  const random = new Random(seed)
  const faults: string[] = []
  const manager = await SessionManager.create({ slots: 1, ...(cacheDir === undefined ? {} : { cacheDir }) })
  const session = await manager.createSession()
  await session.execute('from datetime import UTC, datetime')
  let cases = 0
  while (performance.now() < deadlineMs && cases < (maxCases ?? Infinity)) {
    const pairs = Array.from({ length: CASES_PER_CALL }, () => pair(random, MAX_DEPTH))
    await session.execute(`values = [${pairs.map(({ python }) => python).join(',\n')}]`)
    const values = (await session.get('values')) as Value[]
    for (const [i, { python, value }] of pairs.entries()) {
      cases++
      if (!isDeepStrictEqual(values[i], value)) faults.push(`case ${cases}: ${python.slice(0, 500)}`)
    }
    onProgress(cases)
  }
  await manager.close()
  return { cases, counts: { equal: cases - faults.length, different: faults.length }, faults }
}
