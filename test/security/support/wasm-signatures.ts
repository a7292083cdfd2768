// The types of the functions that a WebAssembly module imports, which no API of the engine provides. Owns the parsing of the type and
// import sections.

/** One letter per parameter: i and j are 32 and 64 bits, f and d floats, E a reference. */
export type Signatures = ReadonlyMap<string, string>

const LETTERS: Readonly<Record<number, string>> = {
  127: 'i',
  126: 'j',
  125: 'f',
  124: 'd',
  111: 'E',
  112: 'E',
}

export function importSignatures(bytes: Uint8Array): Signatures {
  const types: string[] = []
  const signatures = new Map<string, string>()
  let at = 8
  const unsigned = (): number => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++] ?? 0
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
  }
  const text = (): string => {
    const length = unsigned()
    at += length
    return Buffer.from(bytes.subarray(at - length, at)).toString()
  }
  const letters = (): string =>
    Array.from({ length: unsigned() }, () => LETTERS[bytes[at++] ?? 0] ?? '?').join('')
  const limits = (): void => {
    const flags = bytes[at++] ?? 0
    unsigned()
    if ((flags & 1) !== 0) unsigned()
  }
  while (at < bytes.length) {
    const id = bytes[at++]
    const end = unsigned() + at
    if (id === 1) {
      for (let count = unsigned(); count > 0; count--) {
        at++
        types.push(letters())
        letters()
      }
    } else if (id === 2) {
      for (let count = unsigned(); count > 0; count--) {
        const name = `${text()}.${text()}`
        const kind = bytes[at++]
        if (kind === 0) signatures.set(name, types[unsigned()] ?? '')
        else if (kind === 1) {
          at++
          limits()
        } else if (kind === 2) limits()
        else at += 2
      }
    }
    at = end
  }
  return signatures
}
