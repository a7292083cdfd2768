// The Range header, RFC 9110 section 14. Owns which ranges are served: a single range of bytes. For several, the whole file is sent.
import { RequestProblem } from './problems.js'

/** Bytes from `start` up to, but not including, `end`. */
export interface Range {
  readonly start: number
  readonly end: number
}

/**
 * @returns undefined for the whole file
 * @throws RequestProblem, 416
 */
export function parseRange(header: string | undefined, sizeBytes: number): Range | undefined {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(header?.replaceAll(/\s/g, '') ?? '') ?? []
  if (first === '' && last === '') return undefined
  const start = first === '' ? Math.max(0, sizeBytes - Number(last)) : Number(first)
  const end = first === '' || last === '' ? sizeBytes : Math.min(sizeBytes, Number(last) + 1)
  // A range that ends before it starts is invalid, and ignored.
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined
  if (start < end) return { start, end }
  const headers = { 'content-range': `bytes */${sizeBytes}` }
  throw new RequestProblem(416, 'RANGE', `the file has ${sizeBytes} bytes`, { headers })
}
