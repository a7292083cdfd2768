// Environment variables of one execution. Owns setting them before it and restoring the old ones afterwards. Both steps are executions of
// their own, which are left out of the user's count.
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
  // A JSON string is also a literal in Python.
  await hidden(SET(JSON.stringify(JSON.stringify(envs)))).catch(explain)
  try {
    return await task()
  } finally {
    if (session.state !== 'closed') await hidden(PUT_BACK).catch(ignoreReplaced)
  }
}

/** @throws InvalidArgumentError for names and values that no environment can have */
function requireVariables(envs: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(envs)) {
    if (name === '' || /[=\0]/.test(name) || !name.isWellFormed())
      throw new InvalidArgumentError('envs: expected names without "=", NUL and lone surrogates')
    if (typeof value !== 'string' || value.includes('\0') || !value.isWellFormed())
      throw new InvalidArgumentError(`envs.${name}: expected a string without NUL and lone surrogates`)
  }
}

/** Explains why it failed: code can replace `os.environ`. */
function explain(error: unknown): never {
  if (!(error instanceof PythonError)) throw error
  const message = `envs could not be set because the code has replaced \`os.environ\`; call restartCodeContext to restore it (${error.message})`
  throw new SandboxError(message, { cause: error })
}

/** If code has replaced `os.environ`, the old variables cannot be restored, but the result is still valid. */
function ignoreReplaced(error: unknown): void {
  if (!(error instanceof PythonError)) throw error
}
