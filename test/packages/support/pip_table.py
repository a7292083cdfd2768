"""What pip chooses for each list of requirements: reads [index, [requirements…]] as JSON lines, writes {name: version} or null."""

import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout

from pip._internal.cli.main import main

OPTIONS = '--isolated --disable-pip-version-check --no-input --no-cache-dir --quiet --dry-run --ignore-installed'.split()

for line in sys.stdin:
    index, requirements = json.loads(line)
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(io.StringIO()):
        failed = main(['install', *OPTIONS, '--index-url', index, '--report', '-', *requirements])
    chosen = None if failed else {one['metadata']['name']: one['metadata']['version'] for one in json.loads(out.getvalue())['install']}
    print(json.dumps(chosen), flush=True)
