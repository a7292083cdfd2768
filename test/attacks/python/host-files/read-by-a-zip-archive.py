# id: read-by-a-zip-archive
# title: a zip archive does not lead to a file of the host
# level: L1
# class: host-files
# expect: python
# control: none plain Pyodide without a mount has no host files either

import os
import zipimport; zipimport.zipimporter(SECRET)
