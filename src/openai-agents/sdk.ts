// Loads the OpenAI Agents SDK, an optional peer. Owns nothing else.
import { loadClient } from '../store/client-calls.js'

export type AgentsSdk = Pick<typeof import('@openai/agents'), 'tool' | 'invokeFunctionTool' | 'RunContext'>
export type SandboxSdk = Pick<typeof import('@openai/agents/sandbox'), 'Capability'>

const PACKAGE = '@openai/agents'

/** @throws InstallationError */
export function loadAgentsSdk(): Promise<AgentsSdk> {
  return loadClient(PACKAGE, () => import('@openai/agents'))
}

/** @throws InstallationError */
export function loadSandboxSdk(): Promise<SandboxSdk> {
  return loadClient(PACKAGE, () => import('@openai/agents/sandbox'))
}
