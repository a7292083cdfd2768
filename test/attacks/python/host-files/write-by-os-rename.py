# id: write-by-os-rename
# title: os.rename makes a file in the session only
# level: L1
# class: host-files
# expect: any
# control: none plain Pyodide without a mount has no host files either
# evidence: marker

import os
os.makedirs(os.path.dirname(MARKER), exist_ok=True)
open("/tmp/mine", "w").close(); os.rename("/tmp/mine", MARKER)
