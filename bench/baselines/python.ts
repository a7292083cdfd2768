// A native Python as a child process that keeps its variables, driven over pipes like `python3 -i`, but with delimited messages:
// the second baseline, if the machine has a Python. Owns the process and its line protocol.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Ran, Runner } from './runner.js'

/** Reads each piece of code as a line with a JSON string, and answers in the same way. */
const DRIVER = `
import ast, contextlib, io, json, sys
# Bound here, because the code may put something else into the module.
dumps, loads = json.dumps, json.loads
names = {'__name__': '__main__'}
for line in sys.stdin:
    written, value = io.StringIO(), None
    try:
        tree = ast.parse(loads(line))
        last = tree.body.pop().value if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        with contextlib.redirect_stdout(written):
            exec(compile(tree, '<input>', 'exec'), names)
            if last is not None:
                value = eval(compile(ast.Expression(last), '<input>', 'eval'), names)
        answer = {'repr': repr(value), 'stdout': written.getvalue()}
    except Exception as error:
        answer = {'error': f'{type(error).__name__}: {error}'}
    print(dumps(answer), flush=True)
`

export function findPython(): { readonly command: string; readonly version: string } | undefined {
  for (const command of ['python3', 'python']) {
    const { status, stdout } = spawnSync(command, ['--version'], { encoding: 'utf8' })
    if (status === 0 && stdout.startsWith('Python 3'))
      return { command, version: stdout.trim().slice('Python '.length) }
  }
  return undefined
}

export class NativePython implements Runner {
  readonly #child: ChildProcess
  #pending: { resolve: (ran: Ran) => void; reject: (error: Error) => void } | undefined

  constructor(command: string) {
    this.#child = spawn(command, ['-q', '-c', DRIVER], { stdio: ['pipe', 'pipe', 'inherit'] })
    const { stdout } = this.#child
    if (stdout)
      createInterface({ input: stdout }).on('line', (line) => {
        const { error, ...ran } = JSON.parse(line) as Ran & { readonly error?: string }
        const pending = this.#take()
        if (error === undefined) pending?.resolve(ran)
        else pending?.reject(new Error(error))
      })
    this.#child.on('exit', (code) => this.#take()?.reject(new Error(`python ended with exit code ${code}`)))
    this.#child.on('error', (error) => this.#take()?.reject(error))
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  run(code: string): Promise<Ran> {
    if (this.#pending) return Promise.reject(new Error('one run at a time'))
    if (this.#child.exitCode !== null) return Promise.reject(new Error('python has ended'))
    return new Promise((resolve, reject) => {
      this.#pending = { resolve, reject }
      this.#child.stdin?.write(`${JSON.stringify(code)}\n`)
    })
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return
    const exited = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.stdin?.end()
    await exited
  }

  #take() {
    const pending = this.#pending
    this.#pending = undefined
    return pending
  }
}
