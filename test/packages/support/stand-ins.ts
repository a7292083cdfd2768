// Tiny libraries with the names of real ones, written into a session's files. They test how a library's objects reach the host and come
// back, not the libraries themselves: real-packages.test.ts does that, if there are wheels.
import type { Session } from 'brumate'

const FILES: Readonly<Record<string, string>> = {
  // Arrays with the buffer protocol, in one dimension or with a shape.
  'numpy/__init__.py': `
import struct as _struct
_CODES = {'float64': 'd', 'float32': 'f', 'int32': 'i', 'uint8': 'B', 'int64': 'q', 'bool': '?', 'complex128': 'd'}
class dtype:
    isnative = True
    def __init__(self, name): self.name = name; self.kind = {'d': 'f', 'f': 'f'}.get(_CODES[name], name[0])
class ndarray:
    def __init__(self, data, name, shape=None):
        self.data = bytearray(data); self.dtype = dtype(name)
        self.shape = shape or (len(data) // _struct.calcsize(_CODES[name]),)
    nbytes = property(lambda self: len(self.data))
    def __buffer__(self, flags): return memoryview(self.data)
    def astype(self, name): return ndarray(self.data, name)
    def reshape(self, shape): return ndarray(self.data, self.dtype.name, tuple(shape))
    def tolist(self): return list(memoryview(self.data).cast(_CODES[self.dtype.name]))
class float64(float): pass
class int64(int):
    def item(self): return int(self)
float64.item = lambda self: float(self)
def ascontiguousarray(value): return value
def frombuffer(data, name): return ndarray(data, name)
def array(values, name='float64', shape=None): return ndarray(_struct.pack(f'{len(values)}{_CODES[name]}', *values), name, shape)
`,
  'numpy/random/__init__.py': 'from . import mtrand\nfrom .mtrand import *\n',
  'numpy/random/mtrand.py': `
import os, random as _random
_rand = _random.Random(1)
def seed(seed=None): _rand.seed(os.urandom(16) if seed is None else seed)
def set_state(state): _rand.setstate(state)
def get_state(): return _rand.getstate()
def set_bit_generator(generator): pass
def rand(): return _rand.random()
`,
  'matplotlib/__init__.py': 'import os\nbackend = os.environ["MPLBACKEND"]\n',
  'matplotlib/figure.py': `
class Figure:
    dpi = 100
    axes = images = texts = ()
    def __init__(self, number): self.number = number; self.lines = []; self.canvas = self; self.figure = self
    def __repr__(self): return f'<Figure {self.number}>'
    def savefig(self, buffer, format, **options):
        if 'fail' in self.lines: raise ValueError('cannot draw this')
        buffer.write(f'{format} {self.lines}'.encode())
`,
  'matplotlib/pyplot.py': `
import matplotlib
from matplotlib.figure import Figure
class _pylab_helpers:
    class Gcf: figs = {}
def get_fignums(): return sorted(_pylab_helpers.Gcf.figs)
def figure():
    number = max(get_fignums(), default=0) + 1
    _pylab_helpers.Gcf.figs[number] = Figure(number)
    return _pylab_helpers.Gcf.figs[number]
def plot(*what):
    figs = _pylab_helpers.Gcf.figs
    (figs[max(figs)] if figs else figure()).lines.extend(what)
def close(what):
    figs = _pylab_helpers.Gcf.figs
    for number in [n for n, figure in figs.items() if what == 'all' or figure is what]: del figs[number]
def show(): raise RuntimeError('there is no window')
`,
  'PIL/__init__.py': '',
  'PIL/Image.py': `
class Image:
    def _repr_png_(self): return b'png'
    def _repr_jpeg_(self): return b'jpeg'
`,
  'altair.py': `
class renderers:
    @staticmethod
    def enable(name): renderers.name = name
renderers.name = 'html'
class TopLevelMixin:
    def show(self): raise ImportError('IPython')
class Chart(TopLevelMixin):
    def _repr_mimebundle_(self, include=None, exclude=None):
        return {'text/html': '<script>'} if renderers.name == 'html' else {'application/vnd.vegalite.v5+json': {'mark': 'bar'}, 'text/plain': 'Chart'}
`,
  'plotly/__init__.py': '',
  'plotly/io/__init__.py': 'from ._renderers import show\n',
  'plotly/io/_renderers.py': 'def show(fig): raise OSError("no browser")\n',
  'plotly/basedatatypes.py': `
class BaseFigure:
    def to_json(self): return '{"data": []}'
    def _repr_html_(self): raise RuntimeError('no notebook')
`,
  'broken/__init__.py': '',
}

const DISTRIBUTIONS: Readonly<Record<string, string>> = {
  'numpy-2.4.3.dist-info/METADATA': 'Metadata-Version: 2.1\nName: numpy\nVersion: 2.4.3\n\nName: not this\n',
  'scikit_thing-1.0.dist-info/METADATA': 'Metadata-Version: 2.1\nName: Scikit-Thing\nVersion: 1.0\n',
}

/** Makes the stand-ins importable. */
export async function addStandIns(session: Session): Promise<void> {
  await session.set('files', { ...FILES, ...DISTRIBUTIONS })
  await session.execute(`
import os, sys
for path, text in files.items():
    os.makedirs(os.path.dirname('/home/pyodide/site/' + path), exist_ok=True)
    with open('/home/pyodide/site/' + path, 'w') as file: file.write(text)
sys.path.insert(0, '/home/pyodide/site')
del files, path, text, file`)
}
