// Environment variables of one execution. Owns setting them before it and putting the old ones back. Both are executions of their own, which
// the user's count does not include.
import type { Session } from '../session.js'
import { PythonError } from '../shared/errors.js'
import { InvalidArgumentError, SandboxError } from './errors.js'
import type { ContextRecord } from './record.js'

const SET = (variables: string) =>
  `(lambda e, new: (setattr(e, '_replaced', {k: e.get(k) for k in new}), e.update(new)))(__import__('os').environ, __import__('json').loads(${variables}));`
const PUT_BACK =
  "(lambda e: [e.pop(k, None) if v is None else e.update({k: v}) for k, v in e.__dict__.pop('_replaced', {}).items()])(__import__('os').environ);"

export async function withEnvironment<T>(
  session: Session,
  context: ContextRecord,
  envs: Readonly<Record<string, string>> | undefined,
  task: () => Promise<T>,
): Promise<T> {
  if (envs === undefined || Object.keys(envs).length === 0) return task()
  requireVariables(envs)
  const hidden = async (code: string) => {
    // The session counts an execution that fails, too.
    context.hidden++
    await session.execute(code)
  }
  // JSON of a text is a literal of Python as well.
  await hidden(SET(JSON.stringify(JSON.stringify(envs)))).catch(explain)
  try {
    return await task()
  } finally {
    if (session.state !== 'closed') await hidden(PUT_BACK).catch(ignoreReplaced)
  }
}

/** @throws InvalidArgumentError for what no environment can have */
function requireVariables(envs: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(envs)) {
    if (name === '' || /[=\0]/.test(name) || !name.isWellFormed())
      throw new InvalidArgumentError('envs: expected names without "=", NUL and lone surrogates')
    if (typeof value !== 'string' || value.includes('\0') || !value.isWellFormed())
      throw new InvalidArgumentError(`envs.${name}: expected a string without NUL and lone surrogates`)
  }
}

/** Code can put anything in place of `os.environ`. */
function explain(error: unknown): never {
  if (!(error instanceof PythonError)) throw error
  const message = `envs could not be set, for code has changed \`os.environ\`; restartCodeContext makes it anew (${error.message})`
  throw new SandboxError(message, { cause: error })
}

/** What the code has made of its variables cannot be put back, and the result stands. */
function ignoreReplaced(error: unknown): void {
  if (!(error instanceof PythonError)) throw error
}
