// An MCP server for one tenant: tools and resources on the official SDK. Owns registering them, and turning thrown errors into results.
import type { McpServer, ToolAnnotations } from '@modelcontextprotocol/server'
import { version } from '../install/version.js'
import { describePython, type Wording } from '../presentation/describe.js'
import { cut } from '../presentation/text.js'
import { BrumateError } from '../shared/errors.js'
import { text } from './blocks.js'
import { fileTools } from './file-tools.js'
import type { McpHost } from './host.js'
import { registerResources } from './resources.js'
import { runTool } from './run-tool.js'
import { ARGUMENTS, RESULTS } from './schemas.js'
import { sessionTools } from './session-tools.js'
import { RefusedError, type Tenant } from './tenant.js'
import type { Arguments, Tool } from './tool.js'

/** For every tool: Python reaches nothing outside of its sandbox except the connected servers. */
const CLOSED: ToolAnnotations = { openWorldHint: false }

export function serverFor(host: McpHost, tenant: Tenant): McpServer {
  const { sdk, options, facts } = host
  const server = new sdk.McpServer(
    { name: 'brumate', title: 'Python sessions', version: version() },
    { instructions: INSTRUCTIONS },
  )
  const tools: Readonly<Record<string, Tool>> = {
    run_python: {
      title: 'Run Python',
      description: describePython(facts, WORDING),
      arguments: ARGUMENTS.run(options.maxTimeoutMs),
      result: RESULTS.run,
      annotations: { readOnlyHint: false, destructiveHint: false, openWorldHint: facts.stubs !== '' },
      call: runTool(tenant, options),
    },
    ...sessionTools(tenant),
    ...fileTools(tenant, facts.home, options.maxTextLength),
  }
  for (const [name, tool] of Object.entries(tools)) register(host, server, name, tool)
  registerResources(host, server, tenant)
  return server
}

const WORDING: Wording = {
  scope: ' with the same `session`',
  files: ' Files that the code writes come back as resources.',
  timeLimit: ' unless `timeout` says otherwise',
}

const INSTRUCTIONS =
  'Python sessions that keep their state. Use run_python with one session name for work that belongs together, fork to try something without risk, and snapshot before a step that may have to be undone.'

function register(host: McpHost, server: McpServer, name: string, tool: Tool): void {
  const { title, description, result, annotations } = tool
  const { options } = host
  server.registerTool(
    name,
    {
      title,
      description,
      inputSchema: host.schema<Arguments>(`${name} arguments`, tool.arguments),
      ...(result === undefined ? {} : { outputSchema: host.schema(`${name} result`, result) }),
      annotations: { ...CLOSED, ...annotations },
    },
    async (args, context) => {
      try {
        return await tool.call(args, context)
      } catch (error) {
        // Any error that is not one of the library's own is a bug, so report it to the operator.
        if (!(error instanceof BrumateError || error instanceof RefusedError)) options.onError(error as Error)
        return {
          isError: true,
          content: [
            text(cut(error instanceof RefusedError ? error.message : String(error), options.maxTextLength)),
          ],
        }
      }
    },
  )
}
