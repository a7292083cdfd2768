// One POST to a webhook. Owns where it may go: the address is checked at the moment of connecting, so a name that resolves to a private
// address only the second time does not get through. Redirects are not followed.
import { lookup as resolveName } from 'node:dns'
import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { messageOf } from '../../shared/thrown.js'
import { isPublicAddress } from './addresses.js'

export interface PostLimits {
  readonly timeoutMs: number
  readonly maxAnswerBytes: number
  readonly allowPrivateAddresses: boolean
  readonly signal: AbortSignal
}

export interface Answer {
  readonly kind: 'answer'
  readonly status: number
  readonly text: string
}

export type PostOutcome =
  | Answer
  /** `isFinal`: retrying would fail, too. */
  | { readonly kind: 'failed'; readonly reason: string; readonly isFinal: boolean }

const FORBIDDEN = 'ERR_PRIVATE_ADDRESS'

/** Never rejects. */
export async function post(
  target: string,
  headers: Readonly<Record<string, string>>,
  body: string,
  limits: PostLimits,
): Promise<PostOutcome> {
  const url = new URL(target)
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const { allowPrivateAddresses } = limits
  if (!allowPrivateAddresses && isIP(host) !== 0 && !isPublicAddress(host)) return forbidden()
  const signal = AbortSignal.any([limits.signal, AbortSignal.timeout(limits.timeoutMs)])
  const send = url.protocol === 'https:' ? requestHttps : requestHttp
  return new Promise((resolve) => {
    const fail = (error: NodeJS.ErrnoException) => {
      if (error.code === FORBIDDEN) resolve(forbidden())
      else if (limits.signal.aborted)
        resolve({ kind: 'failed', reason: 'the call was cancelled', isFinal: true })
      else {
        const late = `the webhook did not answer within ${limits.timeoutMs} ms`
        const reason = signal.aborted
          ? late
          : `the webhook cannot be reached: ${messageOf(error, 'no reason')}`
        resolve({ kind: 'failed', reason, isFinal: false })
      }
    }
    const sent = send(url, {
      ...{ method: 'POST', signal, agent: false },
      headers: { ...headers, 'content-length': Buffer.byteLength(body) },
      ...(allowPrivateAddresses ? {} : { lookup: publicLookup }),
    })
    sent.on('error', fail)
    // Without this listener, a 101 would cause neither a response nor an error.
    sent.on('upgrade', ({ statusCode = 0 }, socket) => {
      socket.destroy()
      resolve({ kind: 'answer', status: statusCode, text: '' })
    })
    sent.on('response', (response) => {
      const chunks: Buffer[] = []
      let sizeBytes = 0
      response.on('error', fail)
      response.on('data', (chunk: Buffer) => {
        sizeBytes += chunk.length
        if (sizeBytes <= limits.maxAnswerBytes) {
          chunks.push(chunk)
          return
        }
        const reason = `the webhook answered with more than ${limits.maxAnswerBytes} bytes`
        resolve({ kind: 'failed', reason, isFinal: true })
        response.destroy()
      })
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString()
        resolve({ kind: 'answer', status: response.statusCode ?? 0, text })
      })
    })
    sent.end(body)
  })
}

function forbidden(): PostOutcome {
  const reason =
    'the webhook is at an address of this machine or a private network, which the operator has not allowed'
  return { kind: 'failed', reason, isFinal: true }
}

/** Resolves a name, and fails unless all of its addresses are public. */
const publicLookup: LookupFunction = (hostname, options, callback) => {
  resolveName(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) {
      callback(error, '')
      return
    }
    if (addresses.length === 0 || addresses.some(({ address }) => !isPublicAddress(address))) {
      callback(Object.assign(new Error('a private address'), { code: FORBIDDEN }), '')
      return
    }
    const [first] = addresses
    if (options.all) callback(null, addresses)
    else callback(null, first?.address ?? '', first?.family)
  })
}
