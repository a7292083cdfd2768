# id: sqlite-paths
# title: sqlite opens, attaches and backs up files of the session only
# level: L1
# class: host-files
# expect: any
# control: none plain Pyodide does not give it either
# evidence: marker

import os, sqlite3
os.makedirs(DIRECTORY, exist_ok=True)
connection = sqlite3.connect(f'file:{MARKER}?mode=rwc&vfs=unix-none', uri=True)
connection.execute('create table x(y)')
for statement in (f"attach '{MARKER}' as a", f"vacuum into '{MARKER}-2'", "pragma temp_store_directory='/'", f"select readfile('{SECRET}')", f"select writefile('{MARKER}', 'x')", "select load_extension('x')", "pragma writable_schema=on"):
    try: connection.execute(statement)
    except sqlite3.Error: pass
connection.close()
