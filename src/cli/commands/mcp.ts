// `brumate mcp`.
import { type McpOptions, serveHttp, serveStdio } from '../../mcp/index.js'
import { type Command, integerOf, textOf, textsOf, UsageError } from '../command.js'
import { STORE_OPTIONS } from '../open-store.js'
import { keyLines, openServing, readKeys, SERVING_OPTIONS, untilStopped } from '../serving.js'

export const mcp: Command = {
  usage: '[--store STORE] [--http PORT] [--connect COMMAND]… [OPTIONS]',
  about:
    'Serves Python sessions to an MCP client, over stdin and stdout or over HTTP. With a store, sessions survive restarts: every result is stored before it is sent. STORE is a directory, which is made if it is missing, or as of `brumate store salvage`; BRUMATE_STORE names it, too. Without a store, sessions end with the server.',
  options: {
    http: { type: 'string', value: 'PORT', help: 'serve HTTP on this port, instead of stdin and stdout' },
    host: { type: 'string', value: 'ADDRESS', help: 'HTTP: address to listen on; default: 127.0.0.1' },
    'allow-host': {
      ...{ type: 'string', multiple: true, value: 'NAME' },
      help: 'HTTP: a name that clients reach the server by',
    },
    'allow-origin': {
      ...{ type: 'string', multiple: true, value: 'NAME' },
      help: 'HTTP: host name of web pages that may call',
    },
    'token-file': {
      ...{ type: 'string', value: 'FILE' },
      help: 'HTTP: lines of TENANT TOKEN; clients need a token, and each tenant has its own sessions',
    },
    connect: {
      ...{ type: 'string', multiple: true, value: '[NAME=]COMMAND' },
      help: 'another MCP server, whose tools Python calls as tools.NAME',
    },
    ...SERVING_OPTIONS,
    ...STORE_OPTIONS,
  },
  positionals: [0, 0],
  async run(input) {
    const { values, signal, progress } = input
    const port = integerOf(values, 'http', 0, 65_535)
    for (const name of ['host', 'token-file', 'allow-host', 'allow-origin'])
      if (port === undefined && values[name] !== undefined) throw new UsageError(`--${name} is for --http`)
    const tokenFile = textOf(values, 'token-file')
    const tokens =
      tokenFile === undefined
        ? undefined
        : keyLines('token-file', await readKeys('token-file', tokenFile), 'TOKEN')
    await using serving = await openServing('mcp', input)
    const { manager, timeoutMs, memoryBytes } = serving
    progress.clear()
    const options: McpOptions = {
      manager,
      limits: { executionTimeoutMs: timeoutMs, memoryBytes },
      maxTimeoutMs: Math.max(600_000, timeoutMs),
      connect: textsOf(values, 'connect'),
      // Stdout is used by the protocol.
      onError: (error) => process.stderr.write(`brumate mcp: ${error.message}\n`),
    }
    const [stopped, stopListening] = untilStopped(signal)
    try {
      if (port === undefined) {
        await using server = await serveStdio(options)
        await Promise.race([server.closed, stopped])
        return { text: '', json: null }
      }
      const host = textOf(values, 'host')
      const allowedHosts = textsOf(values, 'allow-host')
      await using server = await serveHttp({
        ...{ ...options, port, allowedOrigins: textsOf(values, 'allow-origin') },
        ...(host === undefined ? {} : { host }),
        ...(allowedHosts.length === 0 ? {} : { allowedHosts }),
        ...(tokens === undefined ? {} : { tokens }),
      })
      process.stderr.write(`brumate mcp: serving ${server.url}\n`)
      await stopped
      return { text: 'stopped', json: null }
    } finally {
      stopListening()
    }
  },
}
