// The sub-path `brumate/langchain`: Python for agents of LangChain 1.x, and files for deepagents 1.x. Owns what it exports.
export type { PythonToolOptions, ToolSession } from '../presentation/python-tool.js'
export type {
  Failure,
  FileData,
  FileInfo,
  FileOperationError,
  GrepMatch,
  ReadContent,
} from './backend-types.js'
export { pythonMiddleware } from './python-middleware.js'
export { pythonTool } from './python-tool.js'
export type { PythonMiddlewareOptions } from './thread-sessions.js'
export { VfsBackend } from './vfs-backend.js'
