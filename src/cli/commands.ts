// The commands of `brumate`, by the words that invoke them. Owns the list; each command is a file of its own, loaded when it is invoked.
import type { Command } from './command.js'

export interface CommandEntry {
  /** One line, without a full stop. */
  readonly summary: string
  load(): Promise<Command>
}

export const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  run: {
    summary: 'run Python code: a file, -c CODE, or standard input',
    load: async () => (await import('./commands/run.js')).runCommand,
  },
  repl: {
    summary: 'Python at the prompt; also brumate alone, on a terminal',
    load: async () => (await import('./commands/repl.js')).repl,
  },
  inspect: {
    summary: 'show what a snapshot holds, without running it',
    load: async () => (await import('./commands/inspect.js')).inspect,
  },
  doctor: {
    summary: 'say whether brumate works on this machine, and what to fix',
    load: async () => (await import('./commands/doctor.js')).doctor,
  },
  'image build': {
    summary: 'build an image with packages, and save it',
    load: async () => (await import('./commands/image-build.js')).imageBuild,
  },
  'image show': {
    summary: 'show what is in an image file',
    load: async () => (await import('./commands/image-show.js')).imageShow,
  },
  lock: {
    summary: 'choose versions of packages, and write them to brumate.lock.json',
    load: async () => (await import('./commands/lock.js')).lock,
  },
  mcp: {
    summary: 'serve Python sessions to an MCP client',
    load: async () => (await import('./commands/mcp.js')).mcp,
  },
  serve: {
    summary: 'serve Python sessions over HTTP',
    load: async () => (await import('./commands/serve.js')).serve,
  },
  'store salvage': {
    summary: 'after an upgrade, move the sessions of a store to a new image',
    load: async () => (await import('./commands/store-salvage.js')).storeSalvage,
  },
}
