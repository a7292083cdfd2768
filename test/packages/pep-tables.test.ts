// Versions, specifiers, markers, requirements and wheel names, compared with Python's own `packaging` on a table of hard cases, which
// `tables/generate.py` generates.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { evaluateMarker, parseMarker } from '../../src/packages/markers.js'
import { parseRequirement } from '../../src/packages/requirement.js'
import { Scanner } from '../../src/packages/scanner.js'
import { accepts, acceptsPrereleases, parseSpecifiers } from '../../src/packages/specifiers.js'
import { Target } from '../../src/packages/target.js'
import {
  canonicalVersion,
  compareVersions,
  isPrerelease,
  parseVersion,
  type Version,
} from '../../src/packages/version.js'
import { parseWheelName } from '../../src/packages/wheel-name.js'

interface Table {
  readonly python: string
  readonly versions: readonly [text: string, canonical: string, isPrerelease: string][]
  readonly order: readonly string[]
  readonly invalidVersions: readonly string[]
  readonly specifiers: readonly [text: string, accepts: string, filters: string][]
  readonly invalidSpecifiers: readonly string[]
  readonly markers: readonly [text: string, byExtra: string][]
  readonly extras: readonly string[]
  readonly invalidMarkers: readonly string[]
  readonly requirements: readonly [string, string, string[], string[], string | null][]
  readonly invalidRequirements: readonly string[]
  readonly wheels: readonly [string, [string, string, [] | [number, string], number | null] | null][]
  readonly tags: readonly string[]
}

const table: Table = JSON.parse(readFileSync(new URL('tables/packaging.json', import.meta.url), 'utf8'))
const versions = table.versions.map(([text]) => parse(text))
const target = new Target({ abi: '2026_0', python: table.python })

describe('versions', () => {
  it('have the same canonical text as in packaging', () => {
    expect(versions.map(canonicalVersion)).toEqual(table.versions.map(([, canonical]) => canonical))
    expect(versions.map((one) => bit(isPrerelease(one)))).toEqual(table.versions.map(([, , flag]) => flag))
  })

  it('are ordered as in packaging', () => {
    const order = (a: Version, b: Version) => '<=>'[Math.sign(compareVersions(a, b)) + 1]
    expect(versions.map((a) => versions.map((b) => order(a, b)).join(''))).toEqual(table.order)
  })

  it('are rejected if packaging rejects them', () => {
    expect(table.invalidVersions.filter((text) => parseVersion(text))).toEqual([])
  })
})

describe('specifiers', () => {
  it('accept the same versions as in packaging', () => {
    const got = table.specifiers.map(([text]) => {
      const specifiers = parseSpecifiers(text) ?? []
      const accepted = versions.map((one) => accepts(specifiers, one))
      const fitting = versions.filter((_, i) => accepted[i])
      const onlyFinal = !acceptsPrereleases(specifiers) && fitting.some((one) => !isPrerelease(one))
      const filtered = versions.map((one, i) => accepted[i] && !(onlyFinal && isPrerelease(one)))
      return [text, accepted.map(bit).join(''), filtered.map(bit).join('')]
    })
    expect(got).toEqual(table.specifiers)
  })

  it('are rejected if packaging rejects them', () => {
    expect(table.invalidSpecifiers.filter((text) => parseSpecifiers(text))).toEqual([])
  })
})

describe('markers', () => {
  it('evaluate as in packaging', () => {
    const got = table.markers.map(([text]) => {
      const marker = parseMarker(new Scanner(text))
      return [
        text,
        table.extras.map((extra) => bit(evaluateMarker(marker, target.environment, extra))).join(''),
      ]
    })
    expect(got).toEqual(table.markers)
  })

  it('are rejected if packaging rejects them', () => {
    const parses = (text: string) => doesNotThrow(() => parseRequirement(`a; ${text}`))
    expect(table.invalidMarkers.filter(parses)).toEqual([])
  })
})

describe('requirements', () => {
  it('are parsed as in packaging', () => {
    const got = table.requirements.map(([text]) => {
      const { name, extras, specifiers, marker } = parseRequirement(text)
      const texts = specifiers.map((one) => `${one.operator}${one.text}`).sort()
      return [text, name, extras, texts, marker !== undefined]
    })
    const canonical = (text: string) => text.replace(/[-_.]+/g, '-').toLowerCase()
    expect(got).toEqual(
      table.requirements.map(([text, name, extras, specifiers, marker]) => [
        ...[text, canonical(name), extras.map(canonical).sort(), specifiers, marker !== null],
      ]),
    )
  })

  it('are rejected if packaging rejects them', () => {
    const parses = (text: string) => doesNotThrow(() => parseRequirement(text))
    expect(table.invalidRequirements.filter(parses)).toEqual([])
  })
})

describe('wheels', () => {
  it('are ranked as in packaging', () => {
    const got = table.wheels.map(([file]) => {
      const wheel = parseWheelName(file)
      if (wheel === undefined) return [file, null]
      const { name, version, build, tags } = wheel
      const shownBuild = build[0] === 0 && build[1] === '' ? [] : build
      return [file, [name, canonicalVersion(version), shownBuild, target.rankOf(tags) ?? null]]
    })
    expect(got).toEqual(table.wheels)
    expect(table.tags.map((tag) => target.rankOf([tag]))).toEqual(table.tags.map((_, i) => i))
  })
})

function parse(text: string): Version {
  const version = parseVersion(text)
  if (version === undefined) throw new Error(`${text} is no version`)
  return version
}

function bit(value: unknown): string {
  return value ? '1' : '0'
}

function doesNotThrow(run: () => void): boolean {
  try {
    run()
    return true
  } catch {
    return false
  }
}
