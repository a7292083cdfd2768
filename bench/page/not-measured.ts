// What the comparison with peers leaves out, as shown in the terminal and on the page.
export const NOT_MEASURED = [
  'Other machines: more cores, Windows, macOS, ARM.',
  'Virtual machines, containers and hosted services such as E2B: they need privileges or a network that this run does not have.',
  'Security. `python3` and plain Pyodide isolate nothing; brumate, eryx and Monty differ in what they let code do, and no figure says so.',
  'Building images and preparing packages, which happens once.',
  "numpy and pandas in eryx: PyPI has no wheels for its platform. Native numpy in `python3` is another library's build.",
  'How several busy sessions share the cores: peers live in one thread, or in one process each, so that a figure would compare the operating system.',
  'Networks, large heaps, sessions under memory pressure.',
]
