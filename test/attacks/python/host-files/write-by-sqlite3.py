# id: write-by-sqlite3
# title: sqlite3 makes a file in the session only
# level: L1
# class: host-files
# expect: any
# control: none plain Pyodide without a mount has no host files either
# evidence: marker

import os
os.makedirs(os.path.dirname(MARKER), exist_ok=True)
import sqlite3; sqlite3.connect(MARKER).execute("create table x(y)")
