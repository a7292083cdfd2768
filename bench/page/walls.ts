// Why brumate is behind in a row, if known: shown on the page beside the figure. A wall whose rows brumate is not behind in is not shown,
// so a wall that no longer applies disappears by itself.
export interface Wall {
  /** Ids of the rows. */
  readonly rows: RegExp
  readonly text: string
}

export const WALLS: readonly Wall[] = [
  {
    rows: /^(execute\/|callbacks\/call|growth\/used|start\/first|cells\/plain)/,
    text: 'A session is a thread of its own, so each call wakes that thread and each answer wakes the caller. eryx and Monty run code in the thread that calls, which is quicker, and blocks whoever called until the code ends.',
  },
  {
    rows: /^start\/(process|create|tenants)|^growth\/made/,
    text: 'A new session needs a thread, a V8 isolate in it and a copy of the interpreter’s memory. Spare slots hide that until they are used up; Monty has neither thread nor memory to make.',
  },
  {
    rows: /^cells\/durable/,
    text: 'Each cell is acknowledged when its snapshot, and the folder that names it, are synced. The others write over one file and sync that, once a cell.',
  },
  {
    rows: /^snapshot\/10-mb-restore/,
    text: 'Ten megabytes make the interpreter’s memory grow, and WebAssembly memory cannot shrink again. The slot is not used a second time, so each restore takes a fresh one.',
  },
  {
    rows: /^snapshot\/(?!10-mb-restore).*-(first|snapshot|restore)$/,
    text: 'A snapshot is the difference between all of the interpreter’s memory and the image, which has to be found; a restore sets another interpreter’s memory to it. Monty writes down a small tree, and eryx pickles what it can into an interpreter that keeps whatever else it had.',
  },
  {
    rows: /^snapshot\/.*-size$|^memory\/resting/,
    text: 'A snapshot has the memory as it is, with the headers of objects and the gaps between them. That is larger than a pickle, and what makes it exact.',
  },
  {
    rows: /^stopping\/(?!loop).*/,
    text: 'Code that ignores an interrupt has `interruptGraceMs`, 250 by default, to stop by itself before its worker is ended. A lower limit makes it sooner; the session goes on with its last checkpoint either way.',
  },
  {
    rows: /^stopping\/loop/,
    text: 'The main thread asks for an interrupt, which Python answers between two operations with an exception that the code may handle. Monty and eryx stop the interpreter itself, and with it the session.',
  },
  {
    rows: /^memory\/live/,
    text: 'Each session has a whole CPython to itself, and each thread a V8 isolate. A resting session gives both back.',
  },
  {
    rows: /^compute\//,
    text: 'CPython runs in WebAssembly that V8 compiles, exactly as in plain Pyodide. Monty is native code for a smaller language, and eryx’s CPython is compiled ahead of time by wasmtime.',
  },
]
