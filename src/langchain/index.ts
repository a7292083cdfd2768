// The sub-path `brumate/langchain`: Python for agents of LangChain 1.x, and files for deepagents 1.x. Owns what is exported.
export type { PythonToolOptions, ToolSession } from '../presentation/python-tool.js'
export { type PythonMiddlewareOptions, pythonMiddleware } from './python-middleware.js'
export { pythonTool } from './python-tool.js'
export {
  type Failure,
  type FileData,
  type FileInfo,
  type FileOperationError,
  type GrepMatch,
  type ReadContent,
  VfsBackend,
} from './vfs-backend.js'
