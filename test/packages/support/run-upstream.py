# Runs tests of numpy or pandas by pytest, and leaves the outcome of each in `outcomes`, a JSON text. The same program runs in sessions and in
# stock Pyodide. Expects `upstream`: a dict with `files` (by path), `archives` (of pytest and what it needs) and `modules` (paths to run).
import importlib
import io
import json
import os
import sys

ROOT = '/tmp/upstream'
os.environ['PYTEST_DISABLE_PLUGIN_AUTOLOAD'] = '1'


def write(path, content):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'wb') as file:
        file.write(content.encode() if isinstance(content, str) else content)


for name, content in upstream['archives'].items():
    write(f'/tmp/archives/{name}', content)
    sys.path.insert(0, f'/tmp/archives/{name}')
for path, content in upstream['files'].items():
    write(f'{ROOT}/{path}', content)

# The packages' own folders cannot be written in a session, so these files stand beside them.
for folder, names, _ in list(os.walk(ROOT)):
    if 'tests' in names:
        importlib.import_module(os.path.relpath(folder, ROOT).replace('/', '.')).__path__.append(folder)

import pytest


class Recorder:
    def __init__(self):
        self.outcomes = {}

    def pytest_collectreport(self, report):
        if report.failed:
            self.outcomes[report.nodeid] = f'not collected: {str(report.longrepr)[-300:]}'

    def pytest_runtest_logreport(self, report):
        if report.when == 'call' or not report.passed:
            outcome = f'x{report.outcome}' if hasattr(report, 'wasxfail') else report.outcome
            if outcome == 'failed':
                outcome += ': ' + str(report.longrepr).strip().rsplit('\n', 1)[-1]
            self.outcomes[report.nodeid] = outcome


recorder = Recorder()
for module in upstream['modules']:
    # pytest takes a module that is there: without this it could not tell apart files of one name.
    try:
        importlib.import_module(module.removesuffix('.py').replace('/', '.'))
    except (Exception, pytest.skip.Exception) as error:
        recorder.outcomes[module] = f'not imported: {error!r}'
output, sys.stdout = sys.stdout, io.StringIO()
try:
    code = pytest.main(
        [
            *('-q', '-c', '/dev/null', '--rootdir', ROOT, '--import-mode=importlib', '--assert=plain', '--capture=sys'),
            *('-p', 'no:cacheprovider', '-p', 'no:faulthandler', '-p', 'no:terminalreporter', '-W', 'ignore::pytest.PytestUnknownMarkWarning'),
            *(f'{ROOT}/{module}' for module in upstream['modules'] if module not in recorder.outcomes),
        ],
        plugins=[recorder],
    )
finally:
    report, sys.stdout = sys.stdout.getvalue(), output
outcomes = json.dumps({'code': int(code), 'report': report[-2000:], 'outcomes': recorder.outcomes})
