// `brumate inspect`.
import { imageFacts } from '../../install/image-facts.js'
import { jsonValue } from '../../presentation/json-value.js'
import { count } from '../../shared/count.js'
import type { PendingCall, SnapshotManifest } from '../../shared/snapshot/manifest.js'
import type { Command } from '../command.js'
import { readSnapshotFile } from '../snapshot-file.js'
import { printable } from '../text.js'
import { sizeText } from '../units.js'

/** Limit for each list without `--all`. `--json` is always complete. */
const MOST_LINES = 50

export const inspect: Command = {
  usage: 'SNAPSHOT [--all]',
  about:
    "Shows what a snapshot holds, without running it: its image, Python, globals, files, and the host calls it waits for. A signature is not checked, so do not trust what you see of a stranger's file. Exit code 1 if it is not a snapshot, or damaged.",
  options: { all: { type: 'boolean', help: `list all globals and files, not only ${MOST_LINES} of each` } },
  positionals: [1, 1],
  async run({ positionals: [path = ''], values }) {
    const snapshot = await readSnapshotFile(path)
    const { manifest, size: sizeBytes } = snapshot
    const isSigned = snapshot.parts.signature !== null
    const { id } = imageFacts()
    // A checkout does not know the id of its standard image.
    const isStandardImage = id === undefined ? undefined : manifest.imageId === id
    const pending = manifest.pending.map((call) => ({ ...call, args: jsonValue(call.args) }))
    return {
      json: { path, sizeBytes, isSigned, isStandardImage, ...manifest, pending },
      text: [
        `${path}: snapshot, ${sizeText(sizeBytes)}, format ${manifest.formatVersion}, ${isSigned ? 'signed' : 'not signed'}`,
        `  image    ${manifest.imageId}${isStandardImage ? ' (the standard image of this version)' : ''}`,
        `  python   ${firstWord(manifest.pythonVersion)}, Pyodide ${printable(manifest.pyodideVersion)}`,
        `  created  ${manifest.createdAt.toISOString()}, after ${count(manifest.executionCount, 'execution')}`,
        ...lists(manifest, values.all === true ? Number.POSITIVE_INFINITY : MOST_LINES),
      ].join('\n'),
    }
  },
}

function lists({ globals, files, pending }: SnapshotManifest, most: number): string[] {
  return [
    ...list(
      count(globals.length, 'global'),
      globals.map(({ name, type, repr }) => [printable(name), printable(type), printable(repr)]),
      most,
    ),
    ...list(
      count(files.length, 'file'),
      files.map((file) => [printable(file.path), sizeText(file.sizeBytes)]),
      most,
    ),
    ...list(count(pending.length, 'pending call'), pending.map(pendingRow), most),
  ]
}

function pendingRow({ id, name, args, reason }: PendingCall): string[] {
  const given = printable(JSON.stringify(jsonValue(args)))
  return [printable(id), printable(name), reason === undefined ? given : `${given} (${printable(reason)})`]
}

/** Aligns all columns except the last. */
function list(title: string, rows: readonly (readonly string[])[], most: number): string[] {
  const shown = rows.slice(0, most)
  const widths = [0, 1].map((column) => Math.max(0, ...shown.map((row) => row[column]?.length ?? 0)))
  return [
    title,
    ...shown.map(
      (row) =>
        `  ${row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0))).join('  ')}`,
    ),
    ...(rows.length > shown.length ? [`  and ${rows.length - shown.length} more; --all shows them`] : []),
  ]
}

function firstWord(text: string): string {
  return printable(text.split(' ')[0] ?? '')
}
