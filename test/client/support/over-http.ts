// Client sessions whose requests go to an app in this process, without a port.
import type { Session, SessionManager } from 'brumate'
import { BrumateClient, type ClientOptions } from 'brumate/client'
import { type BrumateApp, createApp } from 'brumate/server'
import { onTestFinished } from 'vitest'
import type { SessionMode } from '../../support/session-modes.js'

const apps = new WeakMap<SessionManager, Promise<BrumateApp>>()
/** Lets tests request any limit. */
const NO_BOUNDS = {
  ...{ callbackTimeoutMs: null, callbackInvocations: null, memoryBytes: null, outputBytes: null },
  ...{ resultBytes: null, fileBytes: null, snapshotBytes: null },
}

export function appOf(manager: SessionManager): Promise<BrumateApp> {
  const app = apps.get(manager) ?? createApp({ manager, maxLimits: NO_BOUNDS, onError: console.error })
  apps.set(manager, app)
  return app
}

export async function clientOf(
  manager: SessionManager,
  options: Partial<ClientOptions> = {},
): Promise<BrumateClient> {
  const { fetch } = await appOf(manager)
  const send = async (...request: ConstructorParameters<typeof Request>) => fetch(new Request(...request))
  return new BrumateClient({ url: 'http://brumate.test', fetch: send as typeof globalThis.fetch, ...options })
}

/** Runs the session tests against a server. They see no difference, except for what a server decides. */
export const overHttp: SessionMode = {
  name: 'over HTTP',
  async open(_, manager, { tenant: __, checkpoint: ___, ...options }) {
    const client = await clientOf(manager)
    const session = await client.createSession(options as Parameters<BrumateClient['createSession']>[0])
    onTestFinished(() => session.close())
    return session as unknown as Session
  },
}
