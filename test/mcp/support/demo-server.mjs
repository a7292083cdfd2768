// An MCP server for tests, with tools that add, fail or exit, and a schema with an unknown keyword. With `--clash` it has only two tools.
import { fromJsonSchema, McpServer } from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'

const text = (content) => ({ content: [{ type: 'text', text: content }] })
const numbers = (...names) => ({
  type: 'object',
  properties: Object.fromEntries(names.map((name) => [name, { type: 'number' }])),
  required: names,
})

serveStdio(() => {
  const server = new McpServer({ name: 'demo', version: '1' })
  const schema = fromJsonSchema({ ...numbers('a', 'b'), 'made-up': true })
  const outputSchema = fromJsonSchema(numbers('sum'))
  server.registerTool(
    'add',
    { description: 'Adds two numbers.', inputSchema: schema, outputSchema },
    ({ a, b }) => ({
      ...text(`${a + b}`),
      structuredContent: { sum: a + b },
    }),
  )
  server.registerTool('print', { description: 'Its name is taken.' }, () => text('printed'))
  if (process.argv.includes('--clash')) return server
  server.registerTool('get-env', {}, () => text(process.env.DEMO ?? 'none'))
  server.registerTool('picture', {}, () => ({
    content: [
      { type: 'text', text: 'a' },
      { type: 'image', mimeType: 'image/png', data: 'iVBORw==' },
    ],
  }))
  server.registerTool('fail', {}, () => ({ isError: true, ...text('it went wrong') }))
  server.registerTool('die', {}, () => process.exit(3))
  return server
})
