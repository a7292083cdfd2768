// Reads untrusted values and checks each for type and range as it is read (N1, N2). Owns the checks that need no knowledge of files;
// whether the values are consistent is checked when they are restored.
import { corrupt } from './error.js'

/** Reads the fields of one list, in order. */
export class FieldReader {
  /** Names the list, at the start of every message. */
  readonly #what: string
  readonly #index: number
  readonly #values: readonly unknown[]
  #at = 0

  constructor(value: unknown, what: string, index: number) {
    this.#what = what
    this.#index = index
    this.#values = Array.isArray(value) ? value : this.#refuse('value', 'a list', value)
  }

  /** A whole number from `min` to `max`. */
  integer(name: string, min: number, max: number): number {
    const value = this.#next()
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value + 0
    return this.#refuse(name, `a whole number from ${min} to ${max}`, value)
  }

  /** A safe integer from 0. */
  count(name: string): number {
    return this.integer(name, 0, Number.MAX_SAFE_INTEGER)
  }

  flag(name: string): boolean {
    return this.integer(name, 0, 1) === 1
  }

  /** A byte string of at most `max` bytes without NUL, one UTF-16 unit per byte. */
  bytes(name: string, max: number): string {
    const value = this.#next()
    if (typeof value === 'string' && value.length <= max && isBytes(value)) return value
    return this.#refuse(name, `at most ${max} bytes without NUL`, value)
  }

  list(name: string, max: number): readonly unknown[] {
    return readList(this.#next(), `${this.#what} ${this.#index}: ${name}`, max)
  }

  /** Checks that no fields are left. */
  end(): void {
    if (this.#at !== this.#values.length) {
      corrupt(`${this.#what} ${this.#index}: ${this.#values.length} fields, expected ${this.#at}`)
    }
  }

  #next(): unknown {
    const value = this.#values[this.#at]
    this.#at += 1
    return value
  }

  #refuse(name: string, expected: string, value: unknown): never {
    return corrupt(`${this.#what} ${this.#index}: ${name} is ${shown(value)}, expected ${expected}`)
  }
}

/** Whether every UTF-16 unit is a byte and none is NUL. */
function isBytes(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at)
    if (unit === 0 || unit > 0xff) return false
  }
  return true
}

export function readList(value: unknown, what: string, max: number): readonly unknown[] {
  if (!Array.isArray(value)) corrupt(`${what} is ${shown(value)}, expected a list`)
  if (value.length > max) corrupt(`${what} has ${value.length} entries, expected at most ${max}`)
  return value
}

/** Reads the fields of a plain object or Map. It must have all required fields, may have the optional ones, and no others. */
export function readFields<Name extends string, Optional extends string = never>(
  value: unknown,
  what: string,
  required: readonly Name[],
  optional: readonly Optional[] = [],
): Readonly<Record<Name | Optional, unknown>> {
  const entries = entriesOf(value) ?? corrupt(`${what} is ${shown(value)}, expected a map`)
  const given = new Map<unknown, unknown>(entries)
  const names = [...required, ...optional.filter((name) => given.has(name))]
  if (entries.length !== names.length)
    corrupt(`${what} has ${entries.length} fields, expected ${names.length}`)
  const fields: Record<string, unknown> = Object.create(null)
  for (const name of names) {
    if (!given.has(name)) corrupt(`${what} has no ${name}`)
    fields[name] = given.get(name)
  }
  return fields as Readonly<Record<Name | Optional, unknown>>
}

function entriesOf(value: unknown): readonly (readonly [unknown, unknown])[] | undefined {
  if (value instanceof Map) return [...value]
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  return Object.entries(value)
}

/** Shows a value in a message, as short text. */
function shown(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 40))
  if (value === null) return 'null'
  return Array.isArray(value) ? 'a list' : `of type ${typeof value}`
}
