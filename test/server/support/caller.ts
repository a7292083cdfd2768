// Sends requests to the HTTP API, of an app in this process or of a server. Owns building requests and parsing event streams.
import type { AppOptions } from 'brumate/server'
import { createApp } from 'brumate/server'
import { onTestFinished } from 'vitest'
import { sharedManager } from '../../support/shared-manager.js'

export const KEYS = { ada: 'a-key-of-ada-0000001', bob: 'a-key-of-bob-0000001' }

// biome-ignore lint/suspicious/noExplicitAny: JSON of any kind
export type Json = any

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Json
}

export type Call = (method: string, path: string, body?: unknown, headers?: object) => Promise<Answer>

type Send = (path: string, init: RequestInit) => Response | Promise<Response>

export function callerOf(send: Send, key?: string): Call {
  return async (method, path, body, headers = {}) => {
    const isBytes = body instanceof Uint8Array || typeof body === 'string'
    const response = await send(path, {
      method,
      headers: {
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
        ...(body === undefined || isBytes ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined
        ? {}
        : { body: (isBytes ? body : JSON.stringify(body)) as Uint8Array<ArrayBuffer> }),
    })
    const text = await response.text()
    const isJson = /json/.test(response.headers.get('content-type') ?? '')
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text }
  }
}

/** Creates an app on the shared manager and closes it after the test. */
export async function appForTest(options: Partial<AppOptions> = {}) {
  const manager = options.manager ?? (await sharedManager({ slots: 4 }))
  const errors: Error[] = []
  const made = await createApp({ manager, onError: (error) => errors.push(error), ...options })
  onTestFinished(() => made.close())
  const send: Send = (path, init) => made.app.request(path, init)
  return { ...made, manager, errors, send, call: callerOf(send, KEYS.ada), bob: callerOf(send, KEYS.bob) }
}

export function eventsOf(text: string): { readonly event: string; readonly data: Json }[] {
  return text
    .split('\n\n')
    .filter((block) => block.startsWith('event: '))
    .map((block) => {
      const [, event = '', data = ''] = /^event: (.*)\ndata: (.*)$/.exec(block) ?? []
      return { event, data: JSON.parse(data) }
    })
}
