// The MCP server as a program on stdin and stdout: a client of another implementation, end of input, and sessions that outlive the program.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Experimental_StdioMCPTransport as OtherTransport } from '@ai-sdk/mcp/mcp-stdio'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { mcpChaos } from '../../chaos/mcp.js'
import { BRIEF } from '../support/brief-process.js'
import { callProgram } from '../support/program.js'
import { callerOf, otherClient, sdkClient, structured, textOf } from './support/clients.js'

const root = fileURLToPath(new URL('../../', import.meta.url))
const program = join(root, 'dist/src/program/index.js')
let directory: string

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'brumate-mcp-'))
})
afterAll(() => rmSync(directory, { recursive: true, force: true, maxRetries: 3 }))

test('`brumate mcp` creates the store and keeps sessions in it between clients', async () => {
  const args = ['mcp', '--store', join(directory, 'a/store'), '--slots', '1', '--timeout', '20']
  const command = {
    command: process.execPath,
    args: [...BRIEF, program, ...args, '--cache-dir', inject('cacheDir')],
  }
  const { client, tools, call } = await otherClient(new OtherTransport(command))
  expect(tools.run_python?.description).toContain('20 s unless `timeout` says otherwise, 256 MiB of memory')
  expect(textOf(await call('run_python', { code: 'import json\nx = [1]\nx' }))).toBe('[1]')
  await call('snapshot', { name: 'saved' })
  await client.close()

  const second = sdkClient('modern')
  await second.connect(new StdioClientTransport(command))
  const again = callerOf(second)
  expect(textOf(await again('list_sessions'))).toBe('sessions: default\nsnapshots: saved')
  expect(structured(await again('run_python', { code: 'x.append(2); json.dumps(x)' })).value).toBe('[1, 2]')
})

test('a killed server has lost nothing that it had acknowledged, over stdio or HTTP', async () => {
  const options = { calls: 12, sessions: 2, kills: 1, root, cacheDir: inject('cacheDir'), nodeArgs: BRIEF }
  const transports = ['stdio', 'http'] as const
  const reports = await Promise.all(transports.map((transport) => mcpChaos({ transport, ...options })))
  for (const report of reports) {
    expect(report).toMatchObject({ kills: 1, lost: 0 })
    expect(report.interrupted).toBeGreaterThan(0)
  }
})

test('`brumate mcp` explains invalid options', async () => {
  const refused = async (...args: readonly string[]) => {
    const { exitCode, stderr } = await callProgram('mcp', ...args)
    expect(exitCode).toBe(2)
    return stderr
  }
  expect(await refused('--host', '0.0.0.0')).toMatch(/--host is for --http/)
  expect(await refused('--http', 'x')).toMatch(/--http x: expected an integer from 0 to 65535/)
  expect(await refused('--memory', '1')).toMatch(/--memory 1: expected an integer from 64 to 4096/)
  expect(await refused('--http', '0', '--token-file', join(directory, 'none'))).toMatch(
    /--token-file: ENOENT/,
  )
  expect(await refused('--image', 'x', '-p', 'pandas')).toMatch(/--image has its own packages/)
  expect((await callProgram('mcp', '--help')).stdout).toMatch(/--connect \[NAME=\]COMMAND …/)
})
