// Loads Hono and its packages, which are optional peers of `brumate/server`. Owns nothing else.
import { loadClient } from '../store/client-calls.js'

export type HonoOpenApi = typeof import('@hono/zod-openapi')
export type HonoNode = typeof import('@hono/node-server')
export type Z = HonoOpenApi['z']

/** @throws InstallationError */
export function loadHono(): Promise<HonoOpenApi> {
  return loadClient('@hono/zod-openapi', () => import('@hono/zod-openapi'))
}

/** @throws InstallationError */
export function loadNodeServer(): Promise<HonoNode> {
  return loadClient('@hono/node-server', () => import('@hono/node-server'))
}
