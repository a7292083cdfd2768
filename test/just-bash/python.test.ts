// `python3` as a command in just-bash's shell.
import { InvalidOptionError, type SessionManager } from 'brumate'
import { type PythonCommandsOptions, pythonCommands } from 'brumate/just-bash'
import { Bash, type BashOptions } from 'just-bash'
import { beforeAll, describe, expect, test } from 'vitest'
import { sharedManager } from '../support/shared-manager.js'

let manager: SessionManager

beforeAll(async () => {
  manager = await sharedManager({ slots: 2 })
})

function shell(files: BashOptions['files'] = {}, options: Partial<PythonCommandsOptions> = {}): Bash {
  return new Bash({ files, cwd: '/home/user', customCommands: pythonCommands({ manager, ...options }) })
}

async function run(command: string, bash = shell({ '/home/user/.keep': '' })) {
  const { stdout, stderr, exitCode } = await bash.exec(command)
  return { stdout, stderr, exitCode }
}

describe('python3 runs', () => {
  test('code after -c, with sys.argv set', async () => {
    expect(await run(`python3 -c 'import sys; print(sys.argv, __name__)' a "b c"`)).toEqual({
      ...{ stdout: "['-c', 'a', 'b c'] __main__\n", stderr: '', exitCode: 0 },
    })
  })

  test('a file, which can import modules beside it and knows its own path', async () => {
    const bash = shell({
      '/home/user/lib/main.py': 'import sys, helper\nprint(helper.twice(21), sys.argv, __file__)',
      '/home/user/lib/helper.py': 'def twice(x): return 2 * x',
    })
    expect((await run('python lib/main.py --flag', bash)).stdout).toBe(
      "42 ['lib/main.py', '--flag'] /home/user/lib/main.py\n",
    )
  })

  test('standard input, from a pipe or a here-document', async () => {
    expect((await run("echo 'print(1 + 1)' | python3")).stdout).toBe('2\n')
    expect((await run("python3 - x <<'END'\nimport sys\nprint(sys.argv)\nEND")).stdout).toBe("['-', 'x']\n")
  })

  test('a module with -m', async () => {
    expect((await run(`echo '{"a":1}' | python3 -m json.tool --compact`)).stdout).toBe('{"a":1}\n')
    expect(await run('python3 -m pip install x')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('packages: [...]'),
    })
  })

  test('nothing for --version, -h and invalid arguments, whose answers match python3', async () => {
    expect((await run('python3 --version')).stdout).toMatch(/^Python 3\.14\.\d+\n$/)
    expect((await run('python3 -h')).stdout).toMatch(/^usage:/)
    expect(await run('python3 -Z')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('unknown option -Z'),
    })
    expect(await run('python3 none.py')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("can't open file '/home/user/none.py'"),
    })
  })
})

test('standard input, environment and working directory come from the shell', async () => {
  const code = `import os, sys; print(input('? '), sys.stdin.read().split(), os.environ['A'], os.getcwd())`
  const { stdout } = await run(
    `mkdir -p d && cd d && export A='ü 1' && printf 'first\\nmore lines\\n' | python3 -c "${code}"`,
  )
  expect(stdout).toBe("? first ['more', 'lines'] ü 1 /home/user/d\n")
})

test('exit codes and errors match those of python3', async () => {
  expect(await run("python3 -c 'import sys; sys.exit(3)'")).toMatchObject({ exitCode: 3, stderr: '' })
  expect(await run(`python3 -c 'import sys; sys.exit("no")'`)).toMatchObject({ exitCode: 1, stderr: 'no\n' })
  const bash = shell({ '/home/user/bad.py': 'def f():\n    1 / 0\nf()\n' })
  const { stderr, exitCode, stdout } = await run('python3 bad.py || echo failed', bash)
  expect([exitCode, stdout]).toEqual([0, 'failed\n'])
  expect(stderr).toMatch(
    /^Traceback \(most recent call last\):\n {2}File "\/home\/user\/bad.py", line 3, in <module>/,
  )
  expect(stderr).toMatch(/line 2, in f\n {4}1 \/ 0[\s\S]*ZeroDivisionError: division by zero\n$/)
  expect((await run("python3 -c 'x ='")).stderr).toMatch(/^ {2}File "<string>", line 1[\s\S]*SyntaxError/)
})

test('Python sees the shell’s files, and its changes are written back', async () => {
  const bash = shell({
    '/home/user/in.csv': 'a,b\n1,2\n',
    '/home/user/old.txt': 'x',
    '/opt/data.bin': new Uint8Array([0, 255]),
  })
  const code = `
import os, shutil
rows = open('in.csv').read().split()
os.makedirs('out/empty')
open('out/rows.txt', 'w').write(rows[1])
open('/opt/copy.bin', 'wb').write(open('/opt/data.bin', 'rb').read() * 2)
os.remove('old.txt')
open('in.csv', 'a').write('3,4\\n')
raise SystemExit(4)`
  await bash.writeFile('/home/user/job.py', code)
  expect((await run('python3 job.py', bash)).exitCode).toBe(4)
  expect(
    (
      await run('cat out/rows.txt; ls out; wc -l < in.csv; ls /home/user; wc -c < /opt/copy.bin', bash)
    ).stdout.split(/\s+/),
  ).toEqual([...['1,2empty', 'rows.txt', '3', 'in.csv', 'job.py', 'out', '4', '']])
  await run(`python3 -c "import shutil; shutil.rmtree('out')"`, bash)
  expect((await run('ls /home/user', bash)).stdout).toBe('in.csv\njob.py\n')
})

test('nothing but files carries over from one run to the next', async () => {
  const bash = shell({ '/home/user/.keep': '' })
  await run(
    'python3 -c \'import builtins, json, os; builtins.leak = json.leak = 1; os.environ["LEAK"] = "1"\'',
    bash,
  )
  const code = `import builtins, json, os; print(hasattr(builtins, "leak"), hasattr(json, "leak"), "LEAK" in os.environ)`
  expect((await run(`python3 -c '${code}'`, bash)).stdout).toBe('False False False\n')
})

test('a run is stopped at its time limit, and its output so far is shown', async () => {
  const bash = shell({ '/home/user/.keep': '' }, { timeoutMs: 500 })
  const { exitCode, stdout, stderr } = await run(
    `python3 -c 'print("begun", flush=True)\nwhile True: pass'`,
    bash,
  )
  expect([exitCode, stdout]).toEqual([124, 'begun\n'])
  expect(stderr).toMatch(/500 ms/)
})

test('a run with too many files is rejected, and the message names maxFiles', async () => {
  const bash = shell({ '/home/user/d/a': '1', '/home/user/b': '2' }, { maxFiles: 4 })
  expect(await run("python3 -c 'print(1)'", bash)).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/more than 4 files and directories.*maxFiles/),
  })
})

test('values forged by the program cannot write outside the shell’s file system', async () => {
  const bash = shell({ '/home/user/.keep': '' })
  const code =
    'import sys; g = sys._getframe(2).f_globals; g["run"] = None; g["directories"] = lambda: ["relative", 5, "/made"]'
  expect((await run(`python3 -c '${code}'; ls -d /made`, bash)).stdout).toBe('/made\n')
})

test('invalid options are rejected', () => {
  expect(() => pythonCommands({} as never)).toThrow(InvalidOptionError)
  expect(() => pythonCommands({ manager, timeout: 1 } as never)).toThrow(/timeoutMs/)
})
