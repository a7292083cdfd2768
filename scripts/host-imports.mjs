// Writes docs/host-imports.md from the table of imports in dist/ (`npm run build` first). A test compares the document with the output
// of `render` for the sources, so that the two cannot diverge.
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const CLASSES = [
  ['file', 'Operations at a path, over the session’s own tree of files in memory.'],
  ['descriptor', 'Operations on an open file.'],
  ['clock', 'Clocks and calendars.'],
  ['entropy', 'Randomness.'],
  ['memory', 'Growth of memory, and files and callbacks in it.'],
  ['signal', 'Interrupts.'],
  ['process', 'What a process is: user, environment, end.'],
  ['library', 'Native code of the image’s packages.'],
  ['stub-errno', 'Nothing is done; C code gets an error number and goes on.'],
  ['stub-value', 'Nothing is done; C code gets a constant and goes on.'],
  [
    'ends-interpreter',
    'Nothing is done; the interpreter ends (`InterpreterEnd`), because C code expects no failure here.',
  ],
]

const WORKING = CLASSES.slice(0, 8).map(([name]) => name)

const INTRODUCTION = `# What the interpreter can ask of the host

<!-- Written by scripts/host-imports.mjs from workers/host/table/. Do not edit. -->

An import is the only way from Python to JavaScript. Each takes and returns numbers; no JavaScript object can be named
from inside. The functions below that do something (classes “file” to “library”) are all that hostile code in the
interpreter can reach. Of each of them holds (invariant R1):

- A pointer is an unsigned offset, checked against the size that memory has at that moment; NULL and what lies outside is
  EFAULT. Paths end within 4,096 bytes, lists have at most 1,024 (iovec) or 4,096 (poll) entries, 64-bit numbers are checked
  before they become file positions.
- Nothing allocates in proportion to a number that the guest chose before the session’s quota has agreed.
- It runs with at least 128 KB of the thread’s stack left, above the limit that V8 keeps to: guest code decides how deep the stack
  is when it calls. Where less is left, the interpreter ends instead. Regular expressions, formatters and decoders, which take
  the most stack to make, are made when a slot boots or a session attaches, never in an import.
- An error is a number. The one exception that leaves an import is \`InterpreterEnd\`; after it, every import throws it. Whatever
  else is thrown inside an import (a trap of C code that it called, for one) becomes an \`InterpreterEnd\`; an exception
  of C++ code that it called goes on to the guest’s own handlers. Only a call for which
  there is no stack left at its very entry fails with the engine’s own RangeError, before any code of the host has run.

Files: names are bytes (at most 255), a file’s size counts in full towards \`fileBytes\` (holes too), there are at most 65,536
nodes, 1,024 descriptors and 1,024 directories below one another. Permission bits bind although the user is number 0. Access
times do not change by reading. There are no hard links, no named pipes and no terminals. A read from an empty pipe, or a
write to a full one, fails with EAGAIN: both ends are in the one thread there is, so waiting could never end. A file mapped by
mmap is a copy, and a shared one is copied back by msync and munmap. A socket is never made.
`

const DIFFERENCES = `## Where the host differs from Emscripten on purpose

The script test/fixtures/file-script.py gives the same output under stock Pyodide and here. Left out of it is what
Emscripten’s JavaScript does differently from POSIX, where the host follows POSIX:

| operation | Emscripten | host |
|---|---|---|
| umask | has no effect on new files | is subtracted |
| \`open("file/")\`, \`remove("file/")\` | works | ENOTDIR |
| names longer than 255 bytes, paths longer than 4,095 | accepted (and cut in listings) | ENAMETOOLONG |
| names that are not UTF-8 | become other names | kept byte for byte |
| \`O_CREAT \\| O_EXCL\` on a dangling link | creates the target | EEXIST |
| removing the working directory | EBUSY | works; then \`getcwd()\` is ENOENT |
| \`rmdir(".")\`, \`rename(".", …)\` | ENOENT | EINVAL, EBUSY |
| a directory descriptor after the directory was renamed | ENOENT | goes on working |
| \`st_nlink\` of a file that was removed but is open | 1 | 0 |
| \`st_blocks\` | units of 4,096 bytes | units of 512 |
| \`fcntl(F_SETFL)\` | only adds flags | sets O_APPEND and O_NONBLOCK |
| \`fcntl(F_GETFD)\`, \`os.get_inheritable\` | no descriptor is close-on-exec | as opened |
| \`pwrite\` with O_APPEND | at the offset | at the end, as on Linux |
| reading a pipe whose writers are closed | EAGAIN | end of file |
| writing a pipe whose readers are closed | succeeds | EPIPE |
| a pipe’s capacity | unbounded | 65,536 bytes, then EAGAIN |
| \`poll\` of a descriptor that is not open | not reported | POLLNVAL |
| \`select\`/\`poll\` with a timeout | returns at once | waits, without CPU |
| time stamps | cut to milliseconds | kept as set; no two changes in a row get the same |
| \`/dev/zero\`, \`/dev/fd/N\` | missing | there |
| \`/dev/tty\`, \`/proc\` | there | missing |
| \`truncate(2**40)\`, \`seek(2**40)\` and write | abort the interpreter | ENOSPC |

`

/**
 * @param {readonly { module: string, name: string, class: string, why: string, value?: number | null }[]} rows
 * @param {readonly string[]} globals
 */
export function render(rows, globals) {
  const working = rows.filter((row) => WORKING.includes(row.class)).length
  const summary = `The module imports ${rows.length} functions: ${working} do something, ${rows.length - working} do not. It also imports ${globals.length}
globals, the addresses of C functions that Emscripten would implement in JavaScript; all are 0, the null function.
`
  const sections = CLASSES.map(([name, what]) =>
    section(
      name,
      what,
      rows.filter((row) => row.class === name),
    ),
  )
  const list = globals.map((name) => `\`${name}\``).join(', ')
  return [
    INTRODUCTION,
    summary,
    ...sections,
    `${DIFFERENCES}## Globals of GOT.func\n\nValue 0 each: a call through one traps.\n\n${list}\n`,
  ].join('\n')
}

function section(name, what, rows) {
  const returns = rows.some((row) => row.class.startsWith('stub'))
  const header = returns ? '| import | returns | why |\n|---|---|---|' : '| import | why |\n|---|---|'
  const lines = rows.map((row) =>
    returns
      ? `| \`${row.name}\` | ${row.value ?? (row.value === null ? 'null' : 'nothing')} | ${row.why} |`
      : `| \`${row.name}\` | ${row.why} |`,
  )
  return `## ${name}\n\n${what} ${rows.length} import${rows.length === 1 ? '' : 's'}.\n\n${header}\n${lines.join('\n')}\n`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { IMPORT_ROWS, FUNCTION_GLOBALS } = await import('../dist/workers/host/imports.js')
  writeFileSync(new URL('../docs/host-imports.md', import.meta.url), render(IMPORT_ROWS, FUNCTION_GLOBALS))
}
