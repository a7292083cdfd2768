// Options that `sessionObject` rejects before it contacts a server.
import { InstallationError, InvalidOptionError, type SessionManager } from 'brumate'
import { sessionObject } from 'brumate/restate'
import { expect, test } from 'vitest'

const manager = { getOrCreate: () => {} } as unknown as SessionManager

test('on an engine that lacks what the SDK needs, the error says so; the polyfill of the example fixes it', async () => {
  const { withResolvers } = Promise as { withResolvers?: unknown }
  Reflect.deleteProperty(Promise, 'withResolvers')
  try {
    expect(() => sessionObject({ manager })).toThrow(InstallationError)
    await import('../../examples/restate/with-resolvers.js')
    expect(sessionObject({ manager }).name).toBe('session')
  } finally {
    if (withResolvers) Object.assign(Promise, { withResolvers })
  }
})

test('invalid options are rejected', async () => {
  await import('../../examples/restate/with-resolvers.js')
  for (const [option, given] of [
    ['manager', { manager: undefined }],
    ['managers', { managers: 1 }],
    ['name', { name: 'my sessions' }],
    ['callbacks', { callbacks: [] }],
    ['callbacks.é', { callbacks: { é: async () => {} } }],
    ['callbacks.f.fn', { callbacks: { f: { fn: 1 } } }],
    ['maxResultBytes', { maxResultBytes: 1 }],
    ['session', { session: {} }],
  ] as const) {
    const refused = () => sessionObject({ manager, ...given } as never)
    expect(refused, option).toThrow(InvalidOptionError)
    expect(refused, option).toThrow(option.split('.')[0])
  }
})
