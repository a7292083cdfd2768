// The tools for whole sessions: reset_session, list_sessions, snapshot, restore, fork. Owns their answers.
import { text } from './blocks.js'
import { ARGUMENTS, RESULTS } from './schemas.js'
import type { Listed, Tenant } from './tenant.js'
import type { Tool } from './tool.js'

export function sessionTools(tenant: Tenant): Readonly<Record<string, Tool>> {
  return {
    reset_session: {
      title: 'Reset a session',
      description:
        'Starts the session again with a fresh interpreter: variables and files are gone. With `delete`, the session is removed; with `snapshot`, that snapshot is deleted instead. Saved snapshots stay.',
      arguments: ARGUMENTS.reset,
      annotations: { destructiveHint: true, idempotentHint: true },
      call: async (args, { mcpReq: { signal } }) => {
        const { session = 'default', delete: isDeleted, snapshot } = args
        if (snapshot !== undefined) {
          const was = await tenant.delete('snapshot', snapshot, signal)
          return say(was ? `deleted the snapshot ${snapshot}` : `there was no snapshot ${snapshot}`)
        }
        if (isDeleted === true) {
          const was = await tenant.delete('session', session, signal)
          return say(was ? `deleted the session ${session}` : `there was no session ${session}`)
        }
        await (await tenant.open(session, signal)).session.reset()
        return say(`the session ${session} is fresh`)
      },
    },
    list_sessions: {
      title: 'List sessions',
      description: 'Lists the sessions and snapshots that are there, also those of earlier runs.',
      arguments: ARGUMENTS.none,
      result: RESULTS.list,
      annotations: { readOnlyHint: true },
      call: async () => {
        const [sessions, snapshots] = await Promise.all([tenant.list('session'), tenant.list('snapshot')])
        return {
          content: [text(`${namesOf('sessions', sessions)}\n${namesOf('snapshots', snapshots)}`)],
          structuredContent: { sessions: sessions.map(plain), snapshots: snapshots.map(plain) },
        }
      },
    },
    snapshot: {
      title: 'Take a snapshot',
      description:
        'Saves all of the session, variables, imports and files, under a name; `restore` brings it back. Replaces a snapshot of that name.',
      arguments: ARGUMENTS.snapshot,
      annotations: { destructiveHint: false, idempotentHint: true },
      call: async (args, { mcpReq: { signal } }) => {
        const { session = 'default', name = '' } = args
        const sizeBytes = await tenant.saveSnapshot(session, name, signal)
        return say(`saved the session ${session} as the snapshot ${name}, ${sizeBytes} bytes`)
      },
    },
    restore: {
      title: 'Restore a snapshot',
      description:
        'Replaces all of the session with a snapshot: what was done since is gone. The snapshot stays, and any session can be restored from it.',
      arguments: ARGUMENTS.restore,
      annotations: { destructiveHint: true, idempotentHint: true },
      call: async (args, { mcpReq: { signal } }) => {
        const { session = 'default', name = '' } = args
        await tenant.restore(session, name, signal)
        return say(`the session ${session} is as it was in the snapshot ${name}`)
      },
    },
    fork: {
      title: 'Fork a session',
      description:
        'Makes a new session that begins as a copy of this one, with its variables, imports and files. After that, the two are independent.',
      arguments: ARGUMENTS.fork,
      annotations: { destructiveHint: false },
      call: async (args, { mcpReq: { signal } }) => {
        const { session = 'default', name = '' } = args
        await tenant.fork(session, name, signal)
        return say(`the session ${name} begins as a copy of ${session}`)
      },
    },
  }
}

function say(sentence: string) {
  return { content: [text(sentence)] }
}

function plain({ name, updatedAt, sizeBytes, executionCount }: Listed) {
  return { name, updatedAt: updatedAt.toISOString(), sizeBytes, executionCount }
}

function namesOf(what: string, listed: readonly Listed[]): string {
  return `${what}: ${listed.length === 0 ? 'none' : listed.map(({ name }) => name).join(', ')}`
}
