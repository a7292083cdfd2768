// The REPL's own commands, which begin with a dot. Owns what each one does; the texts that they return are printed.
import type { ExecuteResult } from '../../session/outcome.js'
import { count } from '../../shared/count.js'
import { UsageError } from '../command.js'
import type { Mount } from '../mount.js'
import { requireRunnable } from '../python-options.js'
import { readSnapshotFile, writeSnapshotFile } from '../snapshot-file.js'
import { printable } from '../text.js'
import { durationText, sizeText } from '../units.js'
import type { Workspace } from './workspace.js'

export interface DotContext {
  readonly workspace: Workspace
  readonly mount: Mount | undefined
  /** Result of the last cell; undefined if it failed, or there was none. */
  readonly lastResult: ExecuteResult | undefined
  readonly lastMs: number
  leave(): void
}

interface DotCommand {
  readonly argument?: string
  readonly help: string
  run(context: DotContext, argument: string): Promise<string | undefined>
}

const MOST_FILES = 100

export const DOT_COMMANDS: Readonly<Record<string, DotCommand>> = {
  help: { help: 'show these commands', run: async () => helpText() },
  undo: {
    help: 'go back to the state before the last cell',
    async run({ workspace }) {
      await workspace.current.versions.undo()
      return 'the last cell is undone'
    },
  },
  snapshot: {
    argument: 'FILE',
    help: 'save the state',
    async run({ workspace: { current } }, path) {
      const snapshot = await current.session.snapshotState()
      await writeSnapshotFile(path, snapshot)
      return `${printable(path)}: ${sizeText(snapshot.size)}`
    },
  },
  restore: {
    argument: 'FILE',
    help: 'go to a saved state',
    async run({ workspace: { current } }, path) {
      const snapshot = await readSnapshotFile(path)
      const { pending, globals } = snapshot.manifest
      requireRunnable(pending)
      await current.session.restoreState(snapshot)
      current.versions.save()
      return `restored, with ${count(globals.length, 'global')}`
    },
  },
  fork: {
    argument: 'NAME',
    help: 'copy the session, and go to the copy',
    async run({ workspace }, name) {
      await workspace.fork(name)
      return `this is ${name}, a copy`
    },
  },
  sessions: {
    help: 'list the sessions',
    run: async ({ workspace: { places, current } }) =>
      places.map((place) => `${place === current ? '*' : ' '} ${place.name}`).join('\n'),
  },
  switch: {
    argument: 'NAME',
    help: 'go to another session',
    async run({ workspace }, name) {
      workspace.switch(name)
      return undefined
    },
  },
  reset: {
    help: 'start again with nothing',
    async run({ workspace: { current } }) {
      await current.session.reset()
      current.versions.save()
      return 'the session is empty'
    },
  },
  files: { help: "list Python's files", run: listFiles },
  time: { help: 'show what the last cell took', run: async (context) => timeText(context) },
  exit: {
    help: 'leave; also Ctrl-D',
    async run({ leave }) {
      leave()
      return undefined
    },
  },
}

/** @throws UsageError, and what the session throws */
export async function runDotCommand(line: string, context: DotContext): Promise<string | undefined> {
  const [, name = '', argument = ''] = /^\.(\w*)\s*(.*?)\s*$/.exec(line) ?? []
  const command = Object.hasOwn(DOT_COMMANDS, name) ? DOT_COMMANDS[name] : undefined
  if (command === undefined) throw new UsageError(`there is no command .${name}; .help lists them`)
  if (command.argument !== undefined && argument === '')
    throw new UsageError(`give .${name} ${command.argument}`)
  if (command.argument === undefined && argument !== '') throw new UsageError(`.${name} takes no argument`)
  return command.run(context, argument)
}

function helpText(): string {
  const rows = Object.entries(DOT_COMMANDS).map(
    ([name, { argument, help }]) =>
      [`.${name}${argument === undefined ? '' : ` ${argument}`}`, help] as const,
  )
  const width = Math.max(...rows.map(([left]) => left.length))
  return [
    ...rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`),
    '  An empty line ends a block. Tab completes names. Ctrl-C interrupts a cell, or drops what you typed.',
  ].join('\n')
}

async function listFiles({ workspace: { current }, mount }: DotContext): Promise<string> {
  const { files } = (await current.session.snapshotState()).manifest
  const lines = files
    .slice(0, MOST_FILES)
    .map((file) => `  ${printable(file.path)}  ${sizeText(file.sizeBytes)}`)
  if (files.length > MOST_FILES) lines.push(`  and ${files.length - MOST_FILES} more`)
  if (mount !== undefined)
    lines.push(`  ${mount.path} is ${printable(mount.directory)}${mount.isReadOnly ? ', read-only' : ''}`)
  return lines.length === 0 ? '  no files yet' : lines.join('\n')
}

function timeText({ lastMs, lastResult, workspace }: DotContext): string {
  const { executionMs, memoryBytes, peakMemoryBytes, fileBytes } = workspace.current.session.usage
  const peak = lastResult === undefined ? '' : `, ${sizeText(lastResult.peakMemoryBytes)} of memory at most`
  return [
    `  last cell  ${durationText(lastMs)}${peak}`,
    `  session    ${durationText(executionMs)}, ${sizeText(memoryBytes)} of memory now, ${sizeText(peakMemoryBytes)} at most, ${sizeText(fileBytes)} of files`,
  ].join('\n')
}
