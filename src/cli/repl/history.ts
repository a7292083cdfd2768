// The lines typed in earlier REPLs. Owns the history file: one entry per line, newest last, readable only by its user.
import { appendFileSync, chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'

const MAX_LINES = 1_000
/** A file with more lines than this is shortened when it is read. */
const MAX_FILE_LINES = 2 * MAX_LINES

/** The place in which the operating system expects programs to keep a user's state. */
export function historyPath(
  platform: string = process.platform,
  env: NodeJS.ProcessEnv = process.env,
): string {
  if (env.XDG_STATE_HOME) return join(env.XDG_STATE_HOME, 'brumate', 'history')
  if (platform === 'win32' && env.LOCALAPPDATA) return join(env.LOCALAPPDATA, 'brumate', 'history')
  return join(homedir(), '.local', 'state', 'brumate', 'history')
}

export class History {
  readonly #path: string
  readonly #onError: (error: unknown) => void
  #isKept = true
  #last: string | undefined

  /** @param onError - called once, if the file cannot be used; the REPL then continues without it */
  constructor(path: string, onError: (error: unknown) => void) {
    this.#path = path
    this.#onError = onError
  }

  /** Newest first, as readline expects. */
  load(): string[] {
    return (
      this.#attempt(() => {
        mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 })
        // Creates the file if needed. Another program may have made it readable for others.
        appendFileSync(this.#path, '', { mode: 0o600 })
        chmodSync(this.#path, 0o600)
        const lines = readFileSync(this.#path, 'utf8')
          .split('\n')
          .filter((line) => line !== '')
        const kept = lines.slice(-MAX_LINES)
        if (lines.length > MAX_FILE_LINES) this.#replace(kept)
        this.#last = kept.at(-1)
        return kept.reverse()
      }) ?? []
    )
  }

  /** Appends at once, so that concurrent REPLs do not lose each other's lines. */
  add(line: string): void {
    if (line.trim() === '' || line === this.#last) return
    this.#last = line
    this.#attempt(() => appendFileSync(this.#path, `${line}\n`, { mode: 0o600 }))
  }

  #replace(lines: readonly string[]): void {
    const temporary = `${this.#path}.${process.pid}.tmp`
    writeFileSync(temporary, `${lines.join('\n')}\n`, { mode: 0o600 })
    renameSync(temporary, this.#path)
  }

  #attempt<T>(work: () => T): T | undefined {
    if (!this.#isKept) return undefined
    try {
      return work()
    } catch (error) {
      this.#isKept = false
      this.#onError(error)
      return undefined
    }
  }
}
