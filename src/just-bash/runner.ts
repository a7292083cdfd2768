// The Python code that runs a program as `python3` does: own `__main__`, `sys.argv`, environment, standard input and exit code. Owns that
// code. Its value is untrusted, because the program can change everything in the interpreter.

/** Input of the Python code. */
export interface RunRequest {
  readonly kind: 'code' | 'module' | 'file' | 'stdin'
  /** Source text, or the name of a module. */
  readonly program: string
  /** The file name in tracebacks. */
  readonly file: string
  readonly argv: readonly string[]
  readonly cwd: string
  /** The first entry of `sys.path`. */
  readonly path: string
  readonly env: Readonly<Record<string, string>>
  /** Base64. */
  readonly stdin: string
}

const RUNNER = `
def run(request):
    import base64, builtins, io, os, runpy, sys, traceback, types
    os.environ.clear()
    os.environ.update(request['env'])
    os.chdir(request['cwd'])
    sys.argv = request['argv']
    sys.path[0] = request['path']
    sys.dont_write_bytecode = True
    stdin = io.BytesIO(base64.b64decode(request['stdin']))
    sys.stdin = sys.__stdin__ = io.TextIOWrapper(stdin, 'utf-8', 'surrogateescape')

    def read_line(prompt='', /):
        print(prompt, end='', flush=True)
        line = sys.stdin.readline()
        if not line:
            raise EOFError('EOF when reading a line')
        return line.removesuffix('\\n')

    builtins.input = read_line
    main = types.ModuleType('__main__')
    main.__builtins__ = builtins
    try:
        if request['kind'] == 'module':
            sys.modules['__main__'] = main
            runpy.run_module(request['program'], run_name='__main__', alter_sys=True)
        else:
            if request['kind'] == 'file':
                main.__file__ = request['file']
            sys.modules['__main__'] = main
            exec(compile(request['program'], request['file'], 'exec'), main.__dict__)
    except SystemExit as end:
        code = end.code
        if code is None:
            return 0
        if isinstance(code, int):
            return code & 255
        print(code, file=sys.stderr)
        return 1
    except BaseException as error:
        shown = error.__traceback__
        while shown and shown.tb_frame.f_code.co_filename in (HERE, runpy.__file__, '<frozen runpy>'):
            shown = shown.tb_next
        traceback.print_exception(type(error), error, shown)
        if isinstance(error, ImportError) and request['kind'] == 'module' and request['program'] in ('pip', 'ensurepip', 'venv'):
            print(PACKAGES, file=sys.stderr)
        return 130 if isinstance(error, KeyboardInterrupt) else 1
    return 0

def directories():
    import os
    system = {'/' + name for name in SYSTEM}
    found = []
    for path, names, _ in os.walk('/'):
        if path == '/':
            names[:] = [name for name in names if '/' + name not in system]
        found.extend(os.path.join(path, name) for name in names)
    return found

code = run(REQUEST)
`

const PACKAGES =
  'brumate: sessions cannot install packages; put them into the image: SessionManager.create({ packages: [...] })'
const HERE = '<python3>'

/**
 * An expression whose value is `[exit code, directories]`.
 *
 * @param system names of directories in `/` that are Python's own
 */
export function runnerCode(request: RunRequest, system: readonly string[]): string {
  // JSON strings, lists and objects of them are also literals in Python.
  const names = `{'__name__': 'brumate', 'REQUEST': ${JSON.stringify(request)}, 'SYSTEM': ${JSON.stringify(system)}, 'HERE': ${JSON.stringify(HERE)}, 'PACKAGES': ${JSON.stringify(PACKAGES)}}`
  const compiled = `compile(${JSON.stringify(RUNNER)}, ${JSON.stringify(HERE)}, 'exec')`
  return `(lambda names: (exec(${compiled}, names), [names['code'], names['directories']()])[1])(${names})`
}
