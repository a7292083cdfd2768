// Colours of the program's own text. Owns when they are used; Python's output is never coloured.
import type { OutputStream } from './streams.js'

const CODES = { red: 31, green: 32, yellow: 33, cyan: 36, bold: 1, dim: 2 }

export type Colour = keyof typeof CODES

/** Decided by FORCE_COLOR, else by NO_COLOR (https://no-color.org), else by whether the stream is a terminal. */
export function hasColours(
  stream: OutputStream,
  env: Readonly<Record<string, string | undefined>> = process.env,
): boolean {
  const { FORCE_COLOR: forced, NO_COLOR: refused, TERM: terminal } = env
  if (forced !== undefined && forced !== '') return forced !== '0' && forced !== 'false'
  if (refused !== undefined && refused !== '') return false
  return stream.isTTY === true && terminal !== 'dumb'
}

/** Colours text if the stream shows colours, else returns it unchanged. */
export function painter(stream: OutputStream): (colour: Colour, text: string) => string {
  if (!hasColours(stream)) return (_, text) => text
  return (colour, text) => `\u001B[${CODES[colour]}m${text}\u001B[0m`
}
