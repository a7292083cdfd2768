// Fuzzes the decoding of guests' values: random and mutated marshal bytes give a value or a MalformedValueError, the same in one step and
// in slices. They weigh the same in a slot and here, and what JavaScript encodes survives a round trip.
import { isDeepStrictEqual } from 'node:util'
import { Decoder, MalformedValueError } from '../../dist/src/shared/values/decode.js'
import { Encoder, encodePlain } from '../../dist/src/shared/values/encode.js'
import { weigh } from '../../dist/src/shared/values/weight.js'
import { random } from './random.mjs'

export const name = 'values'

const CODES = [...'NTF.ilgsut([{0<>'].map((code) => code.charCodeAt(0))
const TEXTS = [
  '',
  'a',
  'key',
  '__proto__',
  'é',
  '漢字',
  '😀',
  '\ud800',
  'a'.repeat(40),
  'é'.repeat(40_000),
  'datetime',
]
const NUMBERS = [0, -0, 1, -1, 2 ** 31, -(2 ** 31), 2 ** 53, 0.5, Number.NaN, Number.POSITIVE_INFINITY]

/** @param {{ seed: number, deadlineMs: number, maxCases?: number, onProgress: (cases: number) => void }} options */
export async function run({ seed, deadlineMs, maxCases = Number.POSITIVE_INFINITY, onProgress }) {
  const source = random(seed)
  const counts = { decoded: 0, refused: 0, roundTrips: 0 }
  const faults = []
  let cases = 0
  while (performance.now() < deadlineMs && cases < maxCases && faults.length < 20) {
    for (let i = 0; i < 200; i++, cases++) {
      const value = plain(source, 4)
      const document = Uint8Array.from(encodePlain(value, 'x'))
      const encoder = new Encoder(value, 'x', 'plain')
      while (!encoder.advance(0));
      if (!isDeepStrictEqual(Uint8Array.from(encoder.bytes), document))
        faults.push(told('slices are encoded otherwise', document))
      const back = outcome(document)
      if (!isDeepStrictEqual(back.tree, back.exact ? value : back.tree))
        faults.push(told('a round trip', document))
      counts.roundTrips += 1
      const bytes = source.below(3) === 0 ? noise(source) : mutated(source, document)
      const whole = outcome(bytes)
      if (whole.fault !== undefined) faults.push(told(whole.fault, bytes))
      const sliced = inSlices(bytes)
      if (!isDeepStrictEqual(sliced, whole)) faults.push(told('slices come to something else', bytes))
      const weighed = weigh(bytes, 0)
      if (
        whole.tree !== undefined &&
        (weighed?.weightBytes !== whole.weightBytes || weighed.end !== bytes.length)
      )
        faults.push(told(`weighs ${weighed?.weightBytes}, decoded ${whole.weightBytes}`, bytes))
      counts[whole.tree === undefined ? 'refused' : 'decoded'] += 1
    }
    onProgress(cases)
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { cases, counts, faults }
}

function outcome(bytes) {
  return judged(bytes, (decoder) => decoder.advance(Number.POSITIVE_INFINITY))
}

/** Pauses wherever the decoder can. */
function inSlices(bytes) {
  return judged(bytes, (decoder) => {
    while (!decoder.advance(0));
  })
}

function judged(bytes, work) {
  try {
    const decoder = new Decoder(bytes)
    work(decoder)
    decoder.end()
    const { tree, exact, weightBytes } = decoder
    return { tree, exact, weightBytes }
  } catch (error) {
    return error instanceof MalformedValueError
      ? { refused: error.message }
      : { fault: String(error?.stack ?? error) }
  }
}

function plain(source, depth) {
  const kind = source.below(depth === 0 ? 6 : 9)
  const members = () => Array.from({ length: source.below(5) }, () => plain(source, depth - 1))
  switch (kind) {
    case 0:
      return null
    case 1:
      return source.below(2) === 0
    case 2:
      return source.pick(NUMBERS)
    case 3: {
      const value = BigInt(source.next()) ** BigInt(1 + source.below(12))
      return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : source.below(2) === 0 ? value : -value
    }
    case 4:
      return source.pick(TEXTS)
    case 5:
      return Uint8Array.from({ length: source.below(30) }, () => source.below(256))
    case 6:
      return Object.fromEntries(
        members().map((member) => [source.pick(TEXTS.filter((text) => text !== '__proto__')), member]),
      )
    case 7:
      return Array.from({ length: source.below(600) }, () => source.below(1000))
    default:
      return members()
  }
}

function mutated(source, document) {
  const bytes = document.slice(0, source.below(8) === 0 ? source.below(document.length + 1) : document.length)
  for (let changes = source.below(4); changes >= 0 && bytes.length > 0; changes--)
    bytes[source.below(bytes.length)] = source.below(2) === 0 ? source.pick(CODES) : source.below(256)
  return bytes
}

/** Mostly type codes, followed by small counts. */
function noise(source) {
  const bytes = []
  for (let parts = source.below(40); parts >= 0; parts--) {
    bytes.push(source.below(12) === 0 ? source.below(256) : source.pick(CODES))
    if (source.below(2) === 0) bytes.push(source.below(6), 0, 0, source.below(30) === 0 ? 255 : 0)
  }
  return Uint8Array.from(bytes)
}

function told(what, bytes) {
  return `${what}: ${Buffer.from(bytes.subarray(0, 300)).toString('hex')}`
}
