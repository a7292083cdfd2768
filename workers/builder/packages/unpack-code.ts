// The Python code that unpacks a wheel and compiles its modules. Owns what is extracted from a wheel and what is refused. It runs in an
// interpreter that is then discarded, so that CPython's zipfile reads a hostile wheel inside the sandbox, and nothing outside does.

/** Where wheels are installed. */
export const SITE_PACKAGES = '/lib/python3.14/site-packages'

export const FRAME = { file: 0, library: 1, refused: 2, end: 3 } as const
/** The head of a frame, before its path and bytes: kind, length of the path, length of the bytes. */
export const FRAME_HEAD_BYTES = 9

/** Largest size of one wheel, inflated. */
export const MAX_WHEEL_BYTES = 512 * 1024 * 1024
/** Most files in one wheel. */
export const MAX_WHEEL_FILES = 30_000

/** Reads the wheel from the variable `wheel` and writes frames to descriptor 1. */
export const UNPACK = `
import importlib._bootstrap_external as external, importlib.util, io, os, stat, struct, unicodedata, warnings, zipfile

class Refused(Exception):
    pass

def send(kind, path, data):
    path = path.encode()
    for part in (struct.pack('<BII', kind, len(path), len(data)) + path, data):
        part = memoryview(part)
        while part:
            part = part[os.write(1, part):]

def target(name, seen):
    """The path below site-packages, or None if the file is left out."""
    parts = name.split('/')
    if '\\\\' in name or len(name) > 1024 or not name.isprintable():
        raise Refused(f'it has a file with the name {name[:200]!r}')
    if any(part in ('', '.', '..') or len(part.encode()) > 255 for part in parts):
        raise Refused(f'it has a file with the path {name[:200]!r}')
    if parts[0].endswith('.data'):
        # Scripts, headers and data go to places that sessions do not have.
        if len(parts) < 3 or parts[1] not in ('purelib', 'platlib'):
            return None
        parts = parts[2:]
    if '__pycache__' in parts:
        return None  # compiled anew
    for end in range(1, len(parts) + 1):
        # Some users' file systems do not tell Name from name, and Python files are found by both there.
        path, is_file = '/'.join(parts[:end]), end == len(parts)
        key = unicodedata.normalize('NFC', path).casefold()
        if seen.setdefault(key, (path, is_file)) != (path, is_file) or (is_file and key in files):
            raise Refused(f'it has two files of the name {path[:200]!r}, which may differ in case only')
        if is_file:
            files.add(key)
    return '/'.join(parts)

def compiled(path, source):
    try:
        code = compile(source, path, 'exec', dont_inherit=True, optimize=0)
    except (SyntaxError, ValueError, RecursionError, OverflowError, MemoryError):
        return None  # such as a template: whoever imports it gets the error
    return external._code_to_hash_pyc(code, importlib.util.source_hash(source), False)

def is_test(path):
    return bool({'test', 'tests'} & set(path.split('/')[:-1]))

def unpack(archive):
    infos = archive.infolist()
    if len(infos) > ${MAX_WHEEL_FILES}:
        raise Refused(f'it has {len(infos)} files, more than ${MAX_WHEEL_FILES}')
    if sum(info.file_size for info in infos) > ${MAX_WHEEL_BYTES}:
        raise Refused('it is larger than ${MAX_WHEEL_BYTES} bytes when it is unpacked')
    seen = {}
    has_metadata = False
    for info in infos:
        if info.orig_filename != info.filename:
            raise Refused(f'it has a file with the name {info.orig_filename[:200]!r}')
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise Refused(f'{info.filename[:200]!r} is a link or a device')
        if info.flag_bits & 1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Refused(f'{info.filename[:200]!r} is encrypted, or compressed in a way that wheels do not use')
        if info.is_dir():
            continue
        path = target(info.filename, seen)
        if path is None:
            continue
        data = archive.read(info)
        has_metadata = has_metadata or path.count('/') == 1 and path.endswith('.dist-info/METADATA')
        if data[:4] == b'\\0asm':
            send(${FRAME.library}, path, data)
        else:
            send(${FRAME.file}, path, data)
        if path.endswith('.py') and not is_test(path):
            code = compiled('${SITE_PACKAGES}/' + path, data)
            if code is not None:
                send(${FRAME.file}, importlib.util.cache_from_source(path), code)
    if not has_metadata:
        raise Refused('it has no METADATA, so it is not a wheel')

files = set()
warnings.simplefilter('ignore')
try:
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        unpack(archive)
except Refused as refusal:
    send(${FRAME.refused}, '', str(refusal).encode('utf-8', 'replace'))
except Exception as error:
    send(${FRAME.refused}, '', f'it cannot be read: {type(error).__name__}: {error}'[:1000].encode('utf-8', 'replace'))
else:
    send(${FRAME.end}, '', b'')
`
