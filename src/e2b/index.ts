// The sub-path `brumate/e2b`: runs programs written for `@e2b/code-interpreter` 2.x on Python sessions of this process. Owns what it
// exports: E2B's names, and NotSupportedError.
export {
  type BarChart,
  type BarData,
  type Chart,
  type Chart2D,
  ChartType,
  type ChartTypes,
  type LineChart,
  type PieChart,
  type PieData,
  type PointChart,
  type PointData,
  type ScaleType,
  type ScatterChart,
  type SuperChart,
  type UnknownChart,
} from './charts.js'
export { E2B } from './client.js'
export {
  FileNotFoundError,
  InvalidArgumentError,
  NotEnoughSpaceError,
  NotFoundError,
  NotSupportedError,
  RateLimitError,
  SandboxError,
  SandboxNotFoundError,
  TimeoutError,
} from './errors.js'
export {
  type EntryInfo,
  type FileData,
  type FilesystemRequestOpts,
  FileType,
  type WriteEntry,
  type WriteInfo,
} from './file-info.js'
export type { Filesystem } from './filesystem.js'
export {
  Execution,
  ExecutionError,
  type Logs,
  type MIMEType,
  OutputMessage,
  type RawData,
  Result,
  type ResultJson,
} from './messaging.js'
export type { BrumateOpts, ConnectionOpts, SandboxApiOpts, SandboxOpts } from './options.js'
export type { RunCodeOpts } from './run-code.js'
export {
  type Context,
  type CreateCodeContextOpts,
  type PauseOpts,
  type RunCodeLanguage,
  Sandbox,
  Sandbox as default,
  type SandboxConnectOpts,
} from './sandbox.js'
export type { SandboxInfo, SandboxListOpts, SandboxPaginator, SandboxState } from './sandbox-list.js'
export type { Commands, Pty } from './unsupported.js'
export {
  type FilesystemEvent,
  FilesystemEventType,
  type WatchHandle,
  type WatchOpts,
} from './watch-handle.js'
