// Loads the official SDK, whose packages are optional peers. Owns nothing else.
import { loadClient } from '../store/client-calls.js'

export type Sdk = typeof import('@modelcontextprotocol/server')
export type StdioSdk = typeof import('@modelcontextprotocol/server/stdio')
export type ClientSdk = typeof import('@modelcontextprotocol/client') &
  typeof import('@modelcontextprotocol/client/stdio')

const SERVER = '@modelcontextprotocol/server'
const CLIENT = '@modelcontextprotocol/client'

/** @throws InstallationError */
export function loadSdk(): Promise<Sdk> {
  return loadClient(SERVER, () => import('@modelcontextprotocol/server'))
}

/** @throws InstallationError */
export function loadStdio(): Promise<StdioSdk> {
  return loadClient(SERVER, () => import('@modelcontextprotocol/server/stdio'))
}

/** @throws InstallationError */
export function loadClientSdk(): Promise<ClientSdk> {
  return loadClient(CLIENT, async () => ({
    ...(await import('@modelcontextprotocol/client')),
    ...(await import('@modelcontextprotocol/client/stdio')),
  }))
}
