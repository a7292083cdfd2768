// Two processes serve the same sessions from one store: this one, and a child process that runs `brumate serve`.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DirectoryStore } from 'brumate'
import { expect, inject, onTestFinished, test } from 'vitest'
import { BRIEF } from '../support/brief-process.js'
import { managerForTest } from '../support/manager.js'
import { appForTest, type Call, callerOf } from './support/caller.js'

const PROGRAM = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url))

async function served(...args: readonly string[]) {
  const given = ['serve', '--port', '0', '--slots', '2', '--cache-dir', inject('cacheDir'), ...args]
  const child = spawn(process.execPath, [...BRIEF, PROGRAM, ...given], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const ended = once(child, 'exit')
  const url = await new Promise<string>((resolve, reject) => {
    let said = ''
    child.once('exit', () => reject(new Error(`the program ended: ${said}`)))
    // Keep reading, or the program would fail when it prints its last message.
    child.stderr.setEncoding('utf8').on('data', (part: string) => {
      said += part
      const [, found] = /listening on (\S+)\n/.exec(said) ?? []
      if (found !== undefined) resolve(found)
    })
  })
  return { call: callerOf((path, init) => fetch(url + path, init)), child, ended }
}

const add = async (call: Call, query = '') => {
  const code = 'n = globals().get("n", 0) + 1\nn'
  const { status, body } = await call('POST', `/v1/sessions/main/execute${query}`, { code })
  return status === 200 ? body.value : `${status} ${body.code}`
}

test('a session moves between two processes on one store, and moves back when the other process exits', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'brumate-serve-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const other = await served('--store', directory)
  const store = new DirectoryStore(directory)
  const manager = await managerForTest({ store, durability: 'checkpoint', slots: 2 })
  const { call } = await appForTest({ manager, ownerWaitMs: 0 })

  const tools = [{ name: 'ask' }]
  expect((await call('PUT', '/v1/sessions/main', { tools })).status).toBe(201)
  expect(await add(call)).toBe(1)
  // The other process waits a moment, then reports the owner.
  const refused = await other.call('GET', '/v1/sessions/main/variables/n')
  expect([refused.status, refused.body.code]).toEqual([409, 'SESSION_OWNED'])
  expect(Object.keys(refused.body)).toEqual(expect.arrayContaining(['ownerId', 'expiresAt']))
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
  expect(refused.body.detail).toMatch(/^the session main belongs/)
  expect((await call('POST', '/v1/sessions/main/close')).status).toBe(204)
  expect(await add(other.call)).toBe(2)
  // The session's tools move with it.
  const asked = await other.call('POST', '/v1/sessions/main/execute', { code: 'await ask() + 1' })
  expect(asked.body.status).toBe('suspended')
  expect(await add(call)).toBe('409 SESSION_OWNED')
  const [pending] = (await call('GET', '/v1/sessions/main/pending?takeOver=true')).body.pending
  const resumed = await call('POST', '/v1/sessions/main/resume', { results: { [pending.id]: 41 } })
  expect(resumed.body.value).toBe(42)
  // The process that lost the session finds out when it writes.
  const lost = await other.call('POST', '/v1/sessions/main/clear')
  expect([lost.status, lost.body.code]).toEqual([409, 'SESSION_MOVED'])
  expect(await add(other.call)).toBe('409 SESSION_OWNED')
  expect(await add(call)).toBe(3)
  await call('POST', '/v1/sessions/main/close')
  expect(await add(other.call)).toBe(4)
  other.child.kill('SIGTERM')
  expect(await other.ended).toEqual([0, null])
  expect(await add(call)).toBe(5)
})
