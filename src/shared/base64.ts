// Base64, with Node's Buffer if there is one. Owns the fallback for browsers.

/** Bytes per call of `String.fromCharCode`, because a call cannot have more arguments. */
const PART_BYTES = 0x8000

export function toBase64(bytes: Uint8Array): string {
  if (typeof Buffer === 'function')
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
  let text = ''
  for (let at = 0; at < bytes.length; at += PART_BYTES)
    text += String.fromCharCode(...bytes.subarray(at, at + PART_BYTES))
  return btoa(text)
}

/** Decodes into a new buffer. @throws SyntaxError in browsers, if the text is not base64; Node decodes what it can */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  if (typeof Buffer === 'function') return new Uint8Array(Buffer.from(text, 'base64'))
  try {
    return Uint8Array.from(atob(text), (one) => one.charCodeAt(0))
  } catch (cause) {
    throw new SyntaxError('text that is not base64', { cause })
  }
}
