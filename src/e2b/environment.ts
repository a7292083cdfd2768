// Environment variables of one execution. Owns setting them before it and putting the old ones back. Both are executions of their own, which
// the user's count does not include.
import type { Session } from '../session.js'
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
  const hidden = async (code: string) => {
    // The session counts an execution that fails, too.
    context.hidden++
    await session.execute(code)
  }
  // JSON of a text is a literal of Python as well.
  await hidden(SET(JSON.stringify(JSON.stringify(envs))))
  try {
    return await task()
  } finally {
    if (session.state !== 'closed') await hidden(PUT_BACK)
  }
}
