// A part of a session's file. Owns reading no more of the file than needed, and telling text from binary data.
import type { SessionFiles } from '../session/session-files.js'

/** Longest incomplete UTF-8 sequence at the end of a part. */
const MAX_TAIL_BYTES = 3

export async function readPart(
  files: SessionFiles,
  path: string,
  offset: number,
  sizeBytes: number,
): Promise<Uint8Array> {
  const part = new Uint8Array(sizeBytes)
  let position = 0
  let filled = 0
  for await (const chunk of files.createReadStream(path)) {
    const wanted = chunk.subarray(Math.max(0, Math.min(chunk.length, offset - position)))
    const taken = wanted.subarray(0, sizeBytes - filled)
    part.set(taken, filled)
    filled += taken.length
    position += chunk.length
    if (filled === sizeBytes) break
  }
  return part.subarray(0, filled)
}

/** `undefined` if the part is not UTF-8. Leaves out a character that is cut off at its end. */
export function textOfPart(
  part: Uint8Array,
  isEnd: boolean,
): { readonly text: string; readonly sizeBytes: number } | undefined {
  const mostDropped = isEnd ? 0 : Math.min(MAX_TAIL_BYTES, part.length)
  for (let dropped = 0; dropped <= mostDropped; dropped++) {
    const bytes = part.subarray(0, part.length - dropped)
    try {
      const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
      return text.includes('\0') ? undefined : { text, sizeBytes: bytes.length }
    } catch {
      // Try again without the last byte.
    }
  }
  return undefined
}
