// Loads the AI SDK, an optional peer. Owns nothing else.
import { loadClient } from '../store/client-calls.js'

export type AiSdk = Pick<typeof import('ai'), 'asSchema' | 'experimental_toolCaller' | 'jsonSchema'>

/** @throws InstallationError */
export function loadAiSdk(): Promise<AiSdk> {
  return loadClient('ai', () => import('ai'))
}
