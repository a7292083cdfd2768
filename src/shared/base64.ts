// Bytes as base64, with Node's Buffer where there is one. Owns the way without it, in browsers.

/** What `btoa` takes at a time: a call has so many arguments at most. */
const PART_BYTES = 0x8000

export function toBase64(bytes: Uint8Array): string {
  if (typeof Buffer === 'function')
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
  let text = ''
  for (let at = 0; at < bytes.length; at += PART_BYTES)
    text += String.fromCharCode(...bytes.subarray(at, at + PART_BYTES))
  return btoa(text)
}

/** Bytes with a buffer of their own. @throws SyntaxError where the text is no base64, in browsers; Node reads what it can */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  if (typeof Buffer === 'function') return new Uint8Array(Buffer.from(text, 'base64'))
  try {
    return Uint8Array.from(atob(text), (one) => one.charCodeAt(0))
  } catch (cause) {
    throw new SyntaxError('a text that is no base64', { cause })
  }
}
