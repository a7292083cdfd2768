// `brumate repl`, which `brumate` alone starts on a terminal.
import type { Writable } from 'node:stream'
import { version } from '../../install/version.js'
import { messageOf } from '../../shared/thrown.js'
import { type Command, integerOf, textOf, UsageError } from '../command.js'
import { Figures } from '../figures.js'
import { PYTHON_OPTIONS, Python } from '../python-options.js'
import { History, historyPath } from '../repl/history.js'
import { LineEditor } from '../repl/line-editor.js'
import { pythonVersion } from '../repl/questions.js'
import { Repl } from '../repl/repl.js'
import { Workspace } from '../repl/workspace.js'

const DEFAULT_UNDO = 20
const MAX_UNDO = 1_000
/** One for the current session, one for a fork; other sessions hibernate. */
const SLOTS = 2

export const repl: Command = {
  usage: '[OPTIONS]',
  about:
    'Python at the prompt, in a sandbox: .undo takes a cell back, .fork copies the session, .snapshot saves it, .help lists the rest. Ctrl-C interrupts, Ctrl-D leaves. Needs a terminal; brumate run is for scripts. Exit code: 0, or that of sys.exit.',
  options: {
    ...PYTHON_OPTIONS,
    undo: {
      ...{ type: 'string', value: 'N' },
      help: `how many cells .undo can take back, 0 to ${MAX_UNDO}; default: ${DEFAULT_UNDO}`,
    },
    'no-history': { type: 'boolean', help: 'neither read nor keep what is typed' },
  },
  positionals: [0, 0],
  async run(input) {
    const { values, streams, signal, progress } = input
    const { stdin, stdout, stderr } = streams
    if (values.json === true) throw new UsageError('a REPL has no JSON; use brumate run --json')
    if (!stdin?.isTTY || !stdout.isTTY) throw new UsageError('a REPL needs a terminal; use brumate run')
    const undo = integerOf(values, 'undo', 0, MAX_UNDO) ?? DEFAULT_UNDO
    const figures = new Figures(textOf(values, 'figures'))
    await using python = await Python.open(input, SLOTS)
    const workspace: Workspace = new Workspace(
      python,
      (prompt, { password, signal }) => session.answer(prompt, password, signal),
      undo,
    )
    await progress.during('starting Python …', workspace.add('main', python.snapshot))
    // Handles Ctrl-C during the start of Python.
    signal.throwIfAborted()
    const history = new History(historyPath(), (error) =>
      stderr.write(`brumate: what you type is not kept: ${messageOf(error, 'for an unknown reason')}\n`),
    )
    const editor = new LineEditor(
      stdin,
      // The stream of a terminal is always a stream of Node's.
      stdout as unknown as Writable,
      values['no-history'] === true ? undefined : history,
      (line) => session.complete(line),
    )
    const session: Repl = new Repl(input, python, workspace, editor, figures)
    const python3 = await pythonVersion(workspace.current.session)
    stdout.write(
      `brumate ${version()}, Python ${python3} in a sandbox. .help for commands, Ctrl-D to leave\n`,
    )
    return { json: undefined, exitCode: await session.run() }
  },
}
