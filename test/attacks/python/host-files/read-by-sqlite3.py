# id: read-by-sqlite3
# title: sqlite3 does not lead to a file of the host
# level: L1
# class: host-files
# expect: python
# control: none plain Pyodide without a mount has no host files either

import os
import sqlite3; sqlite3.connect(f"file:{SECRET}?mode=ro", uri=True).execute("select 1 from x")
