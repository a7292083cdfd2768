// The sub-path `brumate/server`: Python sessions over HTTP. Owns what it exports.
export type {
  ValueForm,
  WireCreate,
  WireDisplay,
  WireEvents,
  WireExecute,
  WireExecution,
  WireFailed,
  WireFailure,
  WireFileStatus,
  WireFrame,
  WireOutput,
  WirePending,
  WireProblem,
  WireResult,
  WireResume,
  WireSession,
  WireTool,
  WireValue,
} from '../presentation/wire.js'
export { type BrumateApp, createApp } from './app.js'
export type { ApiKey, Keyring } from './keys.js'
export { type HttpServer, type ServeOptions, serve } from './listen.js'
export type { AppOptions, ServerTool } from './options.js'
export type { Quotas } from './quotas.js'
export { sessionIdOf } from './session-ids.js'
export type { WebhookOptions } from './webhooks/options.js'
